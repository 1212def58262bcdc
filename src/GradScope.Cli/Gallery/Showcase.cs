namespace GradScope.Cli;

/// <summary>Real models to draw, each trained there and then and the same each time; the gallery, the figures' tests and their benchmark share them.</summary>
internal sealed record Showcase(Frame Frame, Run Run)
{
    /// <summary>The size that every figure is made for: 2 layers of 2 heads, width 16; "charlie" gives it 8 positions.</summary>
    public static TransformerConfig TeachingSize { get; } = new() { VocabSize = 27, ContextLength = 16 };

    /// <summary>A model learns names for some steps.</summary>
    /// <param name="names">What it learns.</param>
    /// <param name="config">Its architecture.</param>
    /// <param name="steps">How many updates.</param>
    /// <param name="frameEvery">Every how many steps the run keeps a picture of the model at work.</param>
    public static Showcase Train(Names names, TransformerConfig config, int steps, int frameEvery = 50)
    {
        var trainer = new Trainer(new MiniTransformer(config), names)
        {
            Optimizer = new AdamW(1e-2f),
            Schedule = new WarmUpCosine(Math.Max(1, steps / 10), steps, 1e-3f),
            Probe = "charlie",
            ValidationEvery = Math.Max(1, steps / 4),
            FrameEvery = frameEvery,
        };
        trainer.Train(steps);
        return new(trainer.Look(parameterTensors: true), trainer.Run);
    }

    /// <summary>12 layers of 12 heads before their first step, looking at 256 positions: what figures have to thin.</summary>
    public static Frame Deep()
    {
        const int Positions = 256;
        var random = new RandomStream(1);
        var text = string.Concat(Enumerable.Range(0, 4000).Select(_ => (char)('a' + random.Next(26))));
        var task = new CharText(text);
        var model = new MiniTransformer(new TransformerConfig { VocabSize = task.VocabSize, ModelDim = 96, HeadCount = 12, LayerCount = 12, ContextLength = Positions });
        return new Trainer(model, task).Look(text[..Positions], parameterTensors: true);
    }

    /// <summary>The expression of micrograd's README, and backward from it.</summary>
    public static Tape Micrograd(bool backward = true)
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
}
