using System.Diagnostics;

namespace GradScope.Benchmarks;

/// <summary>Trains what others published a result of, and prints the measured one beside it.</summary>
internal static class Results
{
    public static void Run(ReadOnlySpan<string> args)
    {
        var part = args is [var name, ..] ? name : "";
        if ("sort".Contains(part, StringComparison.Ordinal))
        {
            var trainer = new Trainer(
                new MiniTransformer(new TransformerConfig { VocabSize = 3, ModelDim = 48, HeadCount = 3, LayerCount = 3, ContextLength = 11, Activation = Activation.GeluTanh }),
                new SortTask())
            {
                Optimizer = new AdamW(5e-4f, 0.1f) { Beta2 = 0.95f, DecayMatricesOnly = true },
                BatchSize = 64,
                ClipNorm = 1,
                ValidationEvery = 0,
                FrameEvery = 0,
            };
            Report("sort", trainer, 2000, "100 % exact match; loss .00042 at step 1,900");
        }

        if ("nanogpt".Contains(part, StringComparison.Ordinal))
        {
            var text = CharText.Load("notebooks/data/tinyshakespeare.txt");
            var trainer = new Trainer(
                new MiniTransformer(new TransformerConfig { VocabSize = text.VocabSize, ModelDim = 128, HeadCount = 4, LayerCount = 4, ContextLength = 64, Biases = false, TiedEmbeddings = true }),
                text)
            {
                Optimizer = new AdamW(1e-3f, 0.1f) { Beta2 = 0.99f, DecayMatricesOnly = true },
                Schedule = new WarmUpCosine(100, 2000, 1e-4f),
                BatchSize = 12,
                ClipNorm = 1,
                ValidationEvery = 0,
                FrameEvery = 0,
            };
            Report("nanogpt", trainer, 2000, "validation loss 1.88");
        }
    }

    private static void Report(string name, Trainer trainer, int steps, string published)
    {
        var start = Stopwatch.GetTimestamp();
        trainer.Train(steps);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var (loss, accuracy) = trainer.Evaluate();
        Console.WriteLine(FormattableString.Invariant(
            $"{name,-10} {steps} steps in {seconds:0.0} s; training loss {trainer.Run.Metrics[0].Loss:0.0000} at step 1, {trainer.Last!.Loss:0.00000} at the last; all {trainer.Task.ValidationCount} held out: loss {loss:0.00000}, token accuracy {accuracy:P2}; published: {published}"));
    }
}
