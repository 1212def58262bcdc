namespace GradScope.Figures.Tests;

/// <summary>Real frames, each number from the engine: a model of the teaching size (2 layers × 2 heads, width 16) learns names.</summary>
internal static class Trained
{
    private static readonly Lazy<(Frame Frame, Run Run)> teaching = new(() => Train(new TransformerConfig { VocabSize = 27, ContextLength = 16 }, 200));

    // Without biases: ∂L/∂(key bias) is zero but for rounding, which is another on each kind of CPU, and a snapshot would hold it.
    private static readonly Lazy<(Frame Frame, Run Run)> plain = new(() => Train(new TransformerConfig { VocabSize = 27, ContextLength = 16, Biases = false }, 60));

    /// <summary>The default options, after 200 steps.</summary>
    public static (Frame Frame, Run Run) Teaching => teaching.Value;

    /// <summary>Without biases, after 60 steps: what snapshots are of.</summary>
    public static (Frame Frame, Run Run) Plain => plain.Value;

    /// <summary>Another model before its first step.</summary>
    public static Frame Look(TransformerConfig config) => new Trainer(new MiniTransformer(config), Task()).Look("ada");

    /// <summary>The expression of micrograd's README as a frame.</summary>
    public static TapeFrame Micrograd(bool backward = true) => Recorder.Capture(Expression(backward));

    /// <summary>The same as a tape, after backward from g.</summary>
    public static Tape Expression(bool backward = true)
    {
        var tape = new Tape();
        var a = tape.Variable(-4f, "a");
        var b = tape.Variable(2f, "b");
        var c = (a + b).As("c");
        var d = (a * b + b.Pow(3)).As("d");
        c = (c + (c + 1)).As("c₁");
        c = (c + (1 + c - a)).As("c₂");
        d = (d + (d * 2 + (b + a).Relu())).As("d₁");
        d = (d + (3 * d + (b - a).Relu())).As("d₂");
        var e = (c - d).As("e");
        var f = e.Pow(2).As("f");
        var g = (f / 2f).As("g₀");
        g = (g + 10f / f).As("g");
        if (backward) tape.Backward(g);
        return tape;
    }

    private static Names Task() => Names.Load(Path.Combine(Repository.Root, "notebooks", "data", "names.txt"));

    private static (Frame Frame, Run Run) Train(TransformerConfig config, int steps)
    {
        var trainer = new Trainer(new MiniTransformer(config), Task())
        {
            Optimizer = new AdamW(1e-2f),
            Schedule = new WarmUpCosine(steps / 10, steps, 1e-3f),
            Probe = "charlie",
            ValidationEvery = steps / 4,
        };
        trainer.Train(steps);
        return (trainer.Look(parameterTensors: true), trainer.Run);
    }
}
