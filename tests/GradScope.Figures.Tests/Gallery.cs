namespace GradScope.Figures.Tests;

/// <summary>All figures that are looked at, in a browser and otherwise, by file name.</summary>
internal static class Gallery
{
    public static IReadOnlyDictionary<string, Figure> Figures { get; } = new Dictionary<string, Figure>
    {
        ["tape-micrograd"] = Trained.Micrograd().ToFigure(),
        ["tape-before-backward"] = Trained.Micrograd(backward: false).ToFigure(),
        ["tape-transformer"] = Trained.Frame.Tape.ToFigure(),
        ["attention-trained"] = Trained.Frame.Attention().ToFigure(),
        ["attention-before-backward"] = Synthetic.Attention(Synthetic.Config, Synthetic.Tokens(8), backward: false).ToFigure(),
        ["attention-one"] = Synthetic.Attention(Synthetic.Config with { HeadCount = 1, LayerCount = 1 }, ["only"]).ToFigure(),
        ["attention-odd-tokens"] = Synthetic.Attention(Synthetic.Config with { Causal = false }, ["<script>", "\"quoted\"", "שלום", "👩‍🔬", "a&b", " ", "", "line\nbreak", "antidisestablishmentarianism"]).ToFigure(),
        ["attention-large"] = Synthetic.Attention(Synthetic.Config with { HeadCount = 12, LayerCount = 12, ModelDim = 96 }, Synthetic.Tokens(256)).ToFigure(),
        ["training"] = Trained.Run.ToFigure(),
        ["training-empty"] = (Trained.Run with { Metrics = [] }).ToFigure(),
        ["training-long"] = Synthetic.LongRun(Trained.Run, 5000).ToFigure(),
        ["training-first-step"] = (Trained.Run with { Metrics = Trained.Run.Metrics[..1] }).ToFigure(),
        ["history"] = Trained.Run.ToGradientHistoryFigure(),
        ["predictions"] = Trained.Frame.Predictions().ToFigure(),
        ["tensor-activation"] = Trained.Frame.Tape["blocks.0.mlp.post"].ToFigure(),
        ["tensor-heads"] = Trained.Frame.Tape["blocks.0.attn.pattern"].ToFigure(),
        ["tensor-scalar"] = Trained.Frame.Tape["loss"].ToFigure(),
        ["tensor-vector"] = Trained.Frame.Tape["blocks.0.ln1.weight"].ToFigure(),
        ["tensor-not-finite"] = new Tensor([3, 4], 1, -2, float.NaN, 0, 0.5f, float.PositiveInfinity, float.NegativeInfinity, 3, -1, 0, 2, 1).ToFigure("x"),
        ["tensor-constant"] = Tensor.Zeros([6, 6]).ToFigure("zeros"),
        ["tensor-large"] = Synthetic.Wave([300, 200], 1).ToFigure("large"),
        ["model"] = Trained.Frame.Model.ToFigure(),
        ["model-deep"] = Recorder.Capture(new MiniTransformer(new TransformerConfig { VocabSize = 50257, ModelDim = 96, HeadCount = 12, LayerCount = 12, NormPlacement = NormPlacement.Post, Norm = Norm.RmsNorm, Biases = false, Positions = Positions.Sinusoidal, TiedEmbeddings = true })).ToFigure(),
        ["flow-trained"] = Trained.Frame.GradientFlow().ToFigure(),
        ["flow"] = Synthetic.Flow(Synthetic.Config, Synthetic.Tokens(8)).ToFigure(),
        ["flow-before-backward"] = Synthetic.Flow(Synthetic.Config, Synthetic.Tokens(8), backward: false).ToFigure(),
        ["flow-deep"] = Synthetic.Flow(Synthetic.Config with { LayerCount = 12, HeadCount = 12, ModelDim = 96 }, Synthetic.Tokens(40), growth: 1.9).ToFigure(),
        ["flow-vanishing"] = Synthetic.Flow(Synthetic.Config with { HeadCount = 4 }, Synthetic.Tokens(6), growth: 0.03, share: -0.4).ToFigure(),
    };
}
