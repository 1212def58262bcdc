using System.Diagnostics;
using GradScope.Interactive;

namespace GradScope.Benchmarks;

/// <summary>
/// What drawing itself costs a training at the teaching size: the time of a step with a live view and without, in turn, best against
/// best, since whatever else the machine does only adds.
/// </summary>
internal static class LiveOverhead
{
    private const int Rounds = 14, StepsARound = 160;

    public static async Task Run()
    {
        var text = new CharText(string.Concat(Enumerable.Repeat("the quick brown fox jumps over the lazy dog; and a wizard's job is to vex chumps quickly in fog.\n", 200)));
        var trainer = new Trainer(new MiniTransformer(text.VocabSize, modelDim: 64, heads: 4, layers: 2, contextLength: 32), text) { BatchSize = 16, ValidationEvery = 0, FrameEvery = 0 };
        await trainer.TrainAsync(300, new() { Bridge = new Sink() });
        var (bestLive, bestPlain) = (double.PositiveInfinity, double.PositiveInfinity);
        for (var round = 0; round < Rounds; round++)
        {
            var sink = new Sink();
            var live = await Time(() => trainer.TrainAsync(StepsARound, new() { Bridge = sink }));
            var plain = await Time(() => trainer.TrainAsync(StepsARound, new() { Bridge = DisplayBridge.None }));
            (bestLive, bestPlain) = (Math.Min(bestLive, live), Math.Min(bestPlain, plain));
            Console.WriteLine(FormattableString.Invariant(
                $"{plain / StepsARound * 1000,8:0.000} ms a step, live {live / StepsARound * 1000:0.000} ms, {sink.Updates / live:0.0} updates a second of {sink.Bytes / Math.Max(1, sink.Updates) / 1000.0:0} kB"));
        }

        Console.WriteLine(FormattableString.Invariant($"A live view costs {100 * (bestLive / bestPlain - 1):0.0} % (best of {Rounds} turns each)."));
    }

    private static async Task<double> Time(Func<Task> train)
    {
        var start = Stopwatch.GetTimestamp();
        await train();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>A host that takes views and formats them, as a notebook does, and shows them to nobody.</summary>
    private sealed class Sink : IDisplayBridge, ILiveOutput
    {
        public int Updates { get; private set; }

        public long Bytes { get; private set; }

        public ILiveOutput Show(object value) => this;

        public void Update(object value)
        {
            Updates++;
            Bytes += ((LiveView)value).Html.Length;
        }
    }
}
