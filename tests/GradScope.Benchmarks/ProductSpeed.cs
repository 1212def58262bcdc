using System.Diagnostics;
using System.Globalization;

namespace GradScope.Benchmarks;

/// <summary>
/// Times peak and products in turn, round after round, so that a change of the machine's mood meets all of them alike.
/// </summary>
internal static class ProductSpeed
{
    private const double Stretch = 300e3;

    public static void Run(ReadOnlySpan<string> args)
    {
        var rounds = args is [var text, ..] ? int.Parse(text, CultureInfo.InvariantCulture) : 40;
        var threads = Workers.ThreadCount;
        var contests = new List<Contest>
        {
            new("peak", 1, Peak.Flops, Peak.OneCore),
            new("peak", 2, Peak.FlopsOfTwoCores, Peak.TwoCores),
        };
        var part = args is [_, var name, ..] ? name : "";
        foreach (var product in Product.All().Where(p => p.Name.Contains(part, StringComparison.Ordinal)))
        {
            contests.Add(new(product.Name, 1, product.Flops, product.Run));
            contests.Add(new("", 2, product.Flops, product.Run));
        }

        contests.RemoveAll(c => c.Threads > threads);
        // Until the JIT has settled nothing counts.
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < 2) Round(count: false);
        for (var round = 0; round < rounds; round++) Round(count: true);

        void Round(bool count)
        {
            foreach (var contest in contests) contest.Play(Stretch, count);
        }

        Console.WriteLine(FormattableString.Invariant(
            $"{"",-54}{"time",11}{"best",9}{"median",9}   GFLOP/s; % of the peak of as many cores"));
        foreach (var c in contests)
        {
            var peak = contests[c.Threads - 1];
            var (best, median) = (c.Flops / c.Best, c.Flops / c.Median);
            var (bestShare, medianShare) = (best / (peak.Flops / peak.Best), median / (peak.Flops / peak.Median));
            Console.WriteLine(FormattableString.Invariant(
                $"{c.Name,-52}{c.Threads,2}{c.Median / 1000,8:0.00} µs{best,9:0.0}{median,9:0.0}{bestShare,7:0 %}{medianShare,6:0 %}"));
        }
    }

    private sealed class Contest(string name, int threads, double flops, Action action)
    {
        private readonly List<double> times = [];

        public string Name => name;

        public int Threads => threads;

        public double Flops => flops;

        /// <summary>Nanoseconds a call.</summary>
        public double Best => times.Min();

        public double Median => times.Order().ElementAt(times.Count / 2);

        /// <summary>Calls for about so many nanoseconds, with no clock read in between.</summary>
        public void Play(double stretch, bool count)
        {
            Workers.ThreadCount = threads;
            var calls = times.Count == 0 ? 1 : Math.Max(1, (int)(stretch / times[^1]));
            action();
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < calls; i++) action();
            var time = Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls;
            if (!count) times.Clear();
            times.Add(time);
        }
    }
}
