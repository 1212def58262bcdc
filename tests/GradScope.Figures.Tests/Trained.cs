namespace GradScope.Figures.Tests;

/// <summary>Real frames, each number from the engine: the teaching model (2 layers × 2 heads, width 16) learns names for a little while.</summary>
internal static class Trained
{
    static Trained()
    {
        var names = Names.Load(Path.Combine(Repository.Root, "notebooks", "data", "names.txt"));
        var model = new MiniTransformer(names.VocabSize, modelDim: 16, heads: 2, layers: 2, contextLength: 16);
        var trainer = new Trainer(model, names) { Optimizer = new AdamW(1e-2f), Schedule = new WarmUpCosine(20, 200, 1e-3f), Probe = "charlie", ValidationEvery = 50 };
        Fresh = trainer.Look();
        trainer.Train(200);
        Run = trainer.Run;
        Frame = trainer.Look(parameterTensors: true);
    }

    /// <summary>Before the first step.</summary>
    public static Frame Fresh { get; }

    /// <summary>After 200 steps.</summary>
    public static Frame Frame { get; }

    public static Run Run { get; }

    /// <summary>micrograd's expression (its README's example), after backward from g.</summary>
    public static TapeFrame Micrograd(bool backward = true)
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
        return Recorder.Capture(tape);
    }
}
