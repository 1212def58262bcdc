using System.Diagnostics;

namespace GradScope.Benchmarks;

/// <summary>How long the helper thread takes to begin, awake and asleep, and what it costs to have one.</summary>
internal static class HandOff
{
    public static void Run()
    {
        if (Workers.ThreadCount < 2)
        {
            Console.WriteLine("One core: there is no helper thread to measure.");
            return;
        }

        Share(100_000);
        var awake = Enumerable.Range(0, 101).Select(_ => Share(1000) / 1000).Order().ElementAt(50);
        var asleep = Enumerable.Range(0, 101).Select(_ =>
        {
            Thread.Sleep(5);
            return Share(1);
        }).Order().ElementAt(50);

        Share(1);
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        Thread.Sleep(1000);
        var idle = Process.GetCurrentProcess().TotalProcessorTime - before;
        Console.WriteLine(FormattableString.Invariant($"begins after {awake:0} ns awake, {asleep:0} ns asleep (medians)"));
        Console.WriteLine(FormattableString.Invariant($"{idle.TotalMilliseconds:0.0} ms of processor time in an idle second"));
    }

    /// <summary>Nanoseconds of jobs whose first half does nothing but wait for the second one to begin; the helper is never left to rest.</summary>
    private static double Share(int times)
    {
        var job = new Meet(new int[1]);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < times; i++)
        {
            job.Begun = 0;
            Workers.ThreadCount = 2;
            Workers.For(ref job, 2, long.MaxValue);
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds;
    }

    private readonly struct Meet(int[] begun) : IJob
    {
        public ref int Begun => ref begun[0];

        public void Run(int from, int to)
        {
            if (from == 1) Volatile.Write(ref Begun, 1);
            else while (Volatile.Read(ref Begun) == 0) Thread.SpinWait(1);
        }
    }
}
