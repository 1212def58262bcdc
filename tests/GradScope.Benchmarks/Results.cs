using System.Diagnostics;

namespace GradScope.Benchmarks;

/// <summary>Trains what others published a result of, with their settings, and prints the measured one beside it.</summary>
internal static class Results
{
    private sealed record Training(string Name, int Steps, int[] Shown, string Published, Func<Trainer> Trainer);

    private static readonly Training[] trainings =
    [
        new("sort", 2000, [1, 101, 1901], "loss 1.064 at 0, .147 at 100, .00042 at 1,900; exact match 100 %", () => new(
            new MiniTransformer(new TransformerConfig { VocabSize = 3, ModelDim = 48, HeadCount = 3, LayerCount = 3, ContextLength = 11, Activation = Activation.GeluTanh, Dropout = 0.1f }),
            new SortTask())
        {
            Optimizer = new AdamW(5e-4f, 0.1f) { Beta2 = 0.95f, DecayMatricesOnly = true },
            BatchSize = 64,
            ClipNorm = 1,
        }),
        new("repeated", 2000, [1, 151, 251, 491, 2000], "loss 4.171 at 0, 3.742 at 150, 2.189 at 250, 2.036 at 490; floor 2.0124", () => Repeated(new RepeatedTokens())),
        new("induction", 3000, [1, 501, 1001, 2001, 2901], "none: block lengths 8 to 16, which leaves no way but induction", () => Repeated(new RepeatedTokens(shortestBlock: 8))),
        new("addition", 2500, [1, 94, 1001, 1638], "training accuracy above .99 at step 93, held-out above .9 at step 1,637", () => new(
            new MiniTransformer(new TransformerConfig { VocabSize = 54, ModelDim = 128, HeadCount = 4, LayerCount = 1, ContextLength = 3, Activation = Activation.Relu, Norm = Norm.None, InitScale = 0.09f }),
            new ModularAddition(53))
        {
            Optimizer = new AdamW(1e-3f, 1) { Beta2 = 0.98f },
            BatchSize = 1404,
        }),
        new("nanogpt", 2000, [1, 251, 501, 1001, 2000], "validation loss 1.88, by 20 batches", () => Shakespeare(1e-3f)),
        new("nanogpt, another seed", 2000, [1, 251, 501, 1001, 2000], "validation loss 1.88, by 20 batches", () => Shakespeare(1e-3f, seed: 3)),
        new("nanogpt, three times the learning rate", 2000, [1, 251, 501, 1001, 2000], "validation loss 1.88, by 20 batches", () => Shakespeare(3e-3f)),
    ];

    public static void Run(ReadOnlySpan<string> args)
    {
        var part = args is [var name, ..] ? name : "";
        foreach (var training in trainings.Where(t => t.Name.Contains(part, StringComparison.Ordinal)))
        {
            var trainer = training.Trainer();
            var start = Stopwatch.GetTimestamp();
            trainer.Train(training.Steps);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var (loss, accuracy) = trainer.Evaluate();
            var run = trainer.Run.Metrics;
            Console.WriteLine(FormattableString.Invariant($"{training.Name}: {trainer.Model.Config.LayerCount} layers, {trainer.Model.ParameterCount:N0} parameters, {training.Steps} steps in {seconds:0.0} s"));
            Console.WriteLine(FormattableString.Invariant($"  training loss {string.Join(", ", training.Shown.Select(step => FormattableString.Invariant($"{run[step - 1].Loss:0.#####} at {step - 1}")))}"));
            Console.WriteLine(FormattableString.Invariant($"  all {trainer.Task.ValidationCount} held out: loss {loss:0.00000}, accuracy {100 * accuracy:0.00} % of tokens"));
            Console.WriteLine(FormattableString.Invariant($"  training accuracy above .99 at step {run.FirstOrDefault(m => m.Accuracy > 0.99)?.Step}, held-out above .9 at step {run.FirstOrDefault(m => m.ValidationAccuracy > 0.9)?.Step}, scored every {trainer.ValidationEvery} steps"));
            Console.WriteLine($"  published: {training.Published}");
            if (training.Name.StartsWith("nanogpt", StringComparison.Ordinal)) Console.WriteLine($"  {Estimates(trainer)}");
        }
    }

    private static Trainer Shakespeare(float learningRate, ulong seed = 1)
    {
        var text = CharText.Load("notebooks/data/tinyshakespeare.txt");
        return new(
            new MiniTransformer(new TransformerConfig { VocabSize = text.VocabSize, ModelDim = 128, HeadCount = 4, LayerCount = 4, ContextLength = 64, Biases = false, TiedEmbeddings = true, Seed = seed }),
            text,
            seed)
        {
            Optimizer = new AdamW(learningRate, 0.1f) { Beta2 = 0.99f, DecayMatricesOnly = true },
            Schedule = new WarmUpCosine(100, 2000, learningRate / 10),
            BatchSize = 12,
            ClipNorm = 1,
        };
    }

    /// <summary>How nanoGPT's own estimate, the mean loss of 20 random batches of 12 held-out windows, scatters about that of them all.</summary>
    private static string Estimates(Trainer trainer)
    {
        var length = trainer.Model.Config.ContextLength;
        var window = new Workout(trainer.Model, new Tape(gradients: false), new int[length], new int[length], length, training: false);
        var losses = new double[trainer.Task.ValidationCount];
        for (var i = 0; i < losses.Length; i++)
        {
            trainer.Task.Validation(i, window.Tokens(0), window.Targets(0));
            window.Replay();
            losses[i] = window.Loss.ExactLoss;
        }

        var random = new RandomStream(1);
        double[] estimates = [.. Enumerable.Range(0, 1000).Select(_ => Enumerable.Range(0, 20 * 12).Average(_ => losses[random.Next(losses.Length)])).Order()];
        return FormattableString.Invariant($"estimated as published, 1,000 times over: {estimates[10]:0.000} to {estimates[989]:0.000} (98 of 100), rounded 1.88 or less in {estimates.Count(e => e < 1.885) / 10.0:0.0} %");
    }

    private static Trainer Repeated(RepeatedTokens task) => new(
        new MiniTransformer(new TransformerConfig { VocabSize = 64, ModelDim = 64, HeadCount = 2, LayerCount = 2, ContextLength = 32 }), task)
    {
        Optimizer = new AdamW(1e-3f, 1e-4f),
        BatchSize = 16,
    };
}
