using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace GradScope;

/// <summary>Work over [0, count) that may run as two ranges at the same time.</summary>
internal interface IJob
{
    /// <summary>
    /// Does units [from, to). The two threads share one job: it must not write what the other's range reads.
    /// </summary>
    void Run(int from, int to);
}

/// <summary>
/// The second core. One helper thread looks out for the next job for two milliseconds and then sleeps, so that handing
/// over costs some 0.3 µs while training and idleness costs nothing.
/// </summary>
/// <remarks>
/// The caller takes the first half and does the second one too if the helper has not begun it by then (asleep still, or
/// short of a core), so a job never waits for a thread that is not working on it. Where the helper began and then lost its core to
/// another program, which shows in a long wait, the caller works alone for a while. Nothing is allocated by a call.
/// </remarks>
internal static unsafe class Workers
{
    /// <summary>
    /// Estimated nanoseconds below which sharing a job costs more than it saves. The rows of what is larger lie half in each core's
    /// cache, so that even a small operation on them is better done in halves: to fetch the other half takes longer than to add it up.
    /// </summary>
    public const long MinimumCost = 8_000;

    private const int Idle = 0, Offered = 1, Begun = 2, Done = 3;

    /// <summary>2 ms: about what it takes a scheduler, at worst, to find a free core for a thread that wakes.</summary>
    private static readonly long Patience = Stopwatch.Frequency / 500;

    /// <summary>5 ms: jobs of so many estimated nanoseconds in all the caller does alone after the helper was kept from its work.</summary>
    private const long Rest = 5_000_000;

    private static readonly AutoResetEvent Wake = new(false);
    private static Thread? helper;
    private static int busy;
    private static int state;
    private static int asleep;
    private static long resting;
    private static void* job;
    private static delegate*<void*, int, int, void> run;
    private static int from;
    private static int to;
    private static ExceptionDispatchInfo? failure;

    /// <summary>
    /// Threads that work on a job, the caller's included: 1 or 2. By default 2 where the machine has them.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Neither 1 nor 2.</exception>
    public static int ThreadCount
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 2);
            field = value;
            resting = 0;
        }
    } = Math.Min(2, Environment.ProcessorCount);

    /// <summary>Whether a job of so many estimated nanoseconds is done on two threads, when the helper is free.</summary>
    public static bool Shares(long cost) => cost >= MinimumCost && ThreadCount == 2;

    /// <summary>
    /// Runs the job over [0, count), on two threads if <paramref name="cost"/>, its estimated nanoseconds on one, is
    /// worth it and no other caller has the helper. Returns when all is done; what the job throws is thrown here.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void For<TJob>(ref TJob job, int count, long cost) where TJob : struct, IJob
    {
        if (!Shares(cost) || count < 2 || Interlocked.Exchange(ref busy, 1) != 0) job.Run(0, count);
        else Share(ref job, count, cost);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Share<TJob>(ref TJob shared, int count, long cost) where TJob : struct, IJob
    {
        try
        {
            if (resting > 0)
            {
                resting -= cost;
                shared.Run(0, count);
                return;
            }

            var half = (count + 1) / 2;
#pragma warning disable CS8500 // The job may hold arrays: it is pinned, and the caller's frame outlives the helper's use of it.
            fixed (TJob* pinned = &shared)
#pragma warning restore CS8500
            {
                job = pinned;
                run = &Invoke<TJob>;
                from = half;
                to = count;
                Offer();
                bool alone;
                var begun = Stopwatch.GetTimestamp();
                try
                {
                    shared.Run(0, half);
                }
                finally
                {
                    alone = Interlocked.CompareExchange(ref state, Idle, Offered) == Offered;
                    if (!alone) WaitUntilDone(Stopwatch.GetTimestamp() - begun);
                }

                if (alone) shared.Run(half, count);
            }

            failure?.Throw();
        }
        finally
        {
            failure = null;
            Volatile.Write(ref busy, 0);
        }
    }

    private static void Invoke<TJob>(void* job, int from, int to) where TJob : struct, IJob => Unsafe.AsRef<TJob>(job).Run(from, to);

    private static void Offer()
    {
        if (helper is null)
        {
            var thread = new Thread(Help) { IsBackground = true, Name = "GradScope helper" };
            thread.Start();
            helper = thread;
        }

        // A full fence: the helper either sees the offer before it sleeps, or is seen asleep here and woken.
        Interlocked.Exchange(ref state, Offered);
        if (Volatile.Read(ref asleep) != 0 && Interlocked.Exchange(ref asleep, 0) != 0) Wake.Set();
    }

    /// <param name="own">What the caller's half took; the helper's should take no longer.</param>
    private static void WaitUntilDone(long own)
    {
        var spinner = new SpinWait();
        if (Volatile.Read(ref state) != Done)
        {
            var start = Stopwatch.GetTimestamp();
            while (Volatile.Read(ref state) != Done) spinner.SpinOnce(sleep1Threshold: -1);
            if (Stopwatch.GetTimestamp() - start > own + Patience) resting = Rest;
        }

        Volatile.Write(ref state, Idle);
    }

    private static void Help()
    {
        while (true)
        {
            if (!SpinForOffer())
            {
                Interlocked.Exchange(ref asleep, 1);
                if (Volatile.Read(ref state) != Offered) Wake.WaitOne();
                else if (Interlocked.Exchange(ref asleep, 0) == 0) Wake.WaitOne();
            }

            if (Interlocked.CompareExchange(ref state, Begun, Offered) != Offered) continue;
            try
            {
                run(job, from, to);
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }

            Volatile.Write(ref state, Done);
        }
    }

    /// <remarks>
    /// It does not yield: a scheduler that has put it on the caller's core moves it to a free one if it is seen to be
    /// busy, but leaves a thread that keeps yielding where it is.
    /// </remarks>
    private static bool SpinForOffer()
    {
        var start = Stopwatch.GetTimestamp();
        do
        {
            for (var i = 0; i < 50; i++)
            {
                if (Volatile.Read(ref state) == Offered) return true;
                Thread.SpinWait(1);
            }
        }
        while (Stopwatch.GetTimestamp() - start < Patience);

        return false;
    }
}
