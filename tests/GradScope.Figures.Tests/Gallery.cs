using System.Collections.Immutable;
using GradScope.Cli;

namespace GradScope.Figures.Tests;

/// <summary>All figures that are looked at, in a browser and otherwise, by file name. Each is drawn anew when asked for.</summary>
internal static class Gallery
{
    /// <summary>Figures of a real model, of which snapshots are kept.</summary>
    public static IReadOnlyDictionary<string, Func<Figure>> Real { get; } = new Dictionary<string, Func<Figure>>
    {
        ["model"] = () => Trained.Plain.Frame.Model.ToFigure(),
        ["tape"] = () => Trained.Micrograd().ToFigure(),
        ["tape-before-backward"] = () => Trained.Micrograd(backward: false).ToFigure(),
        ["player"] = () => Trained.Plain.Frame.ToFigure(),
        ["player-micrograd"] = () => Trained.Micrograd().ToPlayer(),
        ["tape-transformer"] = () => Trained.Plain.Frame.Tape.ToFigure(),
        ["flow"] = () => Trained.Plain.Frame.GradientFlow().ToFigure(),
        ["attention"] = () => Trained.Plain.Frame.Attention().ToFigure(),
        ["training"] = () => Trained.Plain.Run.ToFigure(),
        ["run"] = () => Trained.Plain.Run.ToPlayer(),
        ["history"] = () => Trained.Plain.Run.ToGradientHistoryFigure(),
        ["tensor"] = () => Trained.Plain.Frame.Tape["blocks.0.mlp.post"].ToFigure(),
        ["predictions"] = () => Trained.Plain.Frame.Predictions().ToFigure(),
    };

    /// <summary>The teaching model with everything it has by default, trained for longer.</summary>
    public static IReadOnlyDictionary<string, Func<Figure>> OfTeachingModel { get; } = new Dictionary<string, Func<Figure>>
    {
        ["check"] = () => Showcase.Micrograd().CheckGradients().ToFigure(),
        ["trained-player"] = () => Trained.Teaching.Frame.ToFigure(),
        ["trained-model"] = () => Trained.Teaching.Frame.Model.ToFigure(),
        ["trained-tape"] = () => Trained.Teaching.Frame.Tape.ToFigure(),
        ["trained-flow"] = () => Trained.Teaching.Frame.GradientFlow().ToFigure(),
        ["trained-attention"] = () => Trained.Teaching.Frame.Attention().ToFigure(),
        ["trained-training"] = () => Trained.Teaching.Run.ToFigure(),
        ["trained-run"] = () => Trained.Played.Run.ToPlayer(),
        ["trained-history"] = () => Trained.Teaching.Run.ToGradientHistoryFigure(),
        ["trained-predictions"] = () => Trained.Teaching.Frame.Predictions().ToFigure(),
        ["trained-pattern"] = () => Trained.Teaching.Frame.Tape["blocks.0.attn.pattern"].ToFigure(),
        ["trained-loss"] = () => Trained.Teaching.Frame.Tape["loss"].ToFigure(),
        ["trained-weight"] = () => Trained.Teaching.Frame.Tape["blocks.0.ln1.weight"].ToFigure(),
    };

    /// <summary>12 layers × 12 heads × 256 positions.</summary>
    public static IReadOnlyDictionary<string, Func<Figure>> OfDeepModel { get; } = new Dictionary<string, Func<Figure>>
    {
        ["deep-model"] = () => Trained.Deep.Model.ToFigure(),
        ["deep-tape"] = () => Trained.Deep.Tape.ToFigure(),
        ["deep-flow"] = () => Trained.Deep.GradientFlow().ToFigure(),
        ["deep-attention"] = () => Trained.Deep.Attention().ToFigure(),
        ["deep-predictions"] = () => Trained.Deep.Predictions().ToFigure(),
        ["deep-pattern"] = () => Trained.Deep.Tape["blocks.11.attn.pattern"].ToFigure(),
    };

    /// <summary>What a good-natured model does not show.</summary>
    public static IReadOnlyDictionary<string, Func<Figure>> Edges { get; } = new Dictionary<string, Func<Figure>>
    {
        ["flow-before-backward"] = () => Synthetic.Flow(Synthetic.Config, Synthetic.Tokens(8), backward: false).ToFigure(),
        ["flow-deep"] = () => Synthetic.Flow(Synthetic.Config with { LayerCount = 12, HeadCount = 12, ModelDim = 96 }, Synthetic.Tokens(40), growth: 1.9).ToFigure(),
        ["flow-vanishing"] = () => Synthetic.Flow(Synthetic.Config with { HeadCount = 4 }, Synthetic.Tokens(6), growth: 0.03, share: -0.4).ToFigure(),
        ["flow-zero"] = () => Synthetic.Flow(Synthetic.Config with { LayerCount = 1, HeadCount = 1 }, ["<only>"], growth: 0).ToFigure(),
        ["flow-attention-only"] = () => Trained.Look(new TransformerConfig { VocabSize = 27, ContextLength = 16, MlpDim = 0, Norm = Norm.None, TiedEmbeddings = true, Positions = Positions.None, Causal = false }).GradientFlow().ToFigure(),
        ["model-attention-only"] = () => Trained.Look(new TransformerConfig { VocabSize = 27, ContextLength = 16, MlpDim = 0, Norm = Norm.None, TiedEmbeddings = true, Positions = Positions.None, Causal = false }).Model.ToFigure(),
        ["flow-post-norm"] = () => Trained.Look(new TransformerConfig { VocabSize = 27, ContextLength = 16, NormPlacement = NormPlacement.Post }).GradientFlow().ToFigure(),
        ["attention-before-backward"] = () => Synthetic.Attention(Synthetic.Config, Synthetic.Tokens(8), backward: false).ToFigure(),
        ["attention-one"] = () => Synthetic.Attention(Synthetic.Config with { HeadCount = 1, LayerCount = 1 }, ["only"]).ToFigure(),
        ["attention-odd-tokens"] = () => Synthetic.Attention(Synthetic.Config with { Causal = false }, Synthetic.OddTokens).ToFigure(),
        ["attention-large"] = () => Synthetic.Attention(Synthetic.Config with { HeadCount = 12, LayerCount = 12, ModelDim = 96 }, Synthetic.Tokens(256)).ToFigure(),
        ["training-empty"] = () => (Trained.Plain.Run with { Metrics = [], GradientNorms = [] }).ToFigure(),
        ["training-one-step"] = () => (Trained.Plain.Run with { Metrics = Trained.Plain.Run.Metrics[..1] }).ToFigure(),
        ["training-long"] = () => Synthetic.LongRun(Trained.Plain.Run, 5000).ToFigure(),
        ["run-empty"] = () => (Trained.Plain.Run with { Metrics = [], GradientNorms = [], Frames = [] }).ToPlayer(),
        ["run-without-frames"] = () => (Trained.Plain.Run with { Frames = [] }).ToPlayer(),
        ["run-without-parameters"] = () => (Trained.Plain.Run with { Frames = [.. Trained.Plain.Run.Frames.Select(Synthetic.WithoutParameters)] }).ToPlayer(),
        ["run-one-step"] = () => (Trained.Plain.Run with { Metrics = Trained.Plain.Run.Metrics[..1], GradientNorms = Trained.Plain.Run.GradientNorms[..1], Frames = Trained.Plain.Run.Frames[..1] }).ToPlayer(),
        ["run-nan"] = () => (Synthetic.With(Trained.Plain.Run, _ => double.NaN) with { Frames = [NotANumber] }).ToPlayer(),
        ["run-infinite"] = () => (Synthetic.With(Trained.Plain.Run, n => n > 2.5 ? double.PositiveInfinity : n) with { Frames = [Infinite] }).ToPlayer(),
        ["run-zero"] = () => (Synthetic.With(Trained.Plain.Run, _ => 0) with { Frames = [Zero] }).ToPlayer(),
        ["run-long"] = () => Synthetic.LongRun(Trained.Plain.Run, 5000).ToPlayer(),
        ["run-deep"] = () => (Trained.Plain.Run with { Model = Trained.Deep.Model, ParameterNames = [.. Trained.Deep.Model.Parameters.Select(p => p.Name)], GradientNorms = [.. Trained.Plain.Run.Metrics.Select(m => Trained.Deep.Model.Parameters.Select(p => (float)(p.GradNorm!.Value / m.Step)).ToImmutableArray())], Frames = [Trained.Deep] }).ToPlayer(),
        ["history-empty"] = () => (Trained.Plain.Run with { Metrics = [], GradientNorms = [] }).ToGradientHistoryFigure(),
        ["model-deep"] = () => Recorder.Capture(new MiniTransformer(new TransformerConfig
        {
            VocabSize = 50257,
            ModelDim = 96,
            HeadCount = 12,
            LayerCount = 12,
            NormPlacement = NormPlacement.Post,
            Norm = Norm.RmsNorm,
            Biases = false,
            Positions = Positions.Sinusoidal,
            TiedEmbeddings = true,
        })).ToFigure(),
        ["player-before-backward"] = () => Trained.Micrograd(backward: false).ToPlayer(),
        ["player-empty"] = () => Recorder.Capture(new Tape()).ToPlayer(),
        ["tape-empty"] = () => Recorder.Capture(new Tape()).ToFigure(),
        ["tape-tensors"] = () => Recorder.Capture(Synthetic.Layer()).ToFigure(),
        ["tensor-not-finite"] = () => new Tensor([3, 4], 1, -2, float.NaN, 0, 0.5f, float.PositiveInfinity, float.NegativeInfinity, 3, -1, 0, 2, 1).ToFigure("x"),
        ["tensor-all-nan"] = () => new Tensor([4], float.NaN, float.NaN, float.NaN, float.NaN).ToFigure("lost"),
        ["tensor-constant"] = () => Tensor.Zeros([6, 6]).ToFigure("zeros"),
        ["tensor-large"] = () => Synthetic.Wave([300, 200], 1).ToFigure("large"),
        ["tensor-rank-4"] = () => Synthetic.Wave([3, 6, 5, 7], 2).ToFigure("many matrices"),
        ["tensor-named-oddly"] = () => new Tensor([2], 1, -1).ToFigure("<img src=x onerror=alert(1)>" + new string('w', 80)),
        ["predictions-odd-tokens"] = () => Synthetic.Predictions(Synthetic.OddTokens).ToFigure(),
        ["model-nan"] = () => NotANumber.Model.ToFigure(),
        ["tape-nan"] = () => NotANumber.Tape.ToFigure(),
        ["flow-nan"] = () => NotANumber.GradientFlow().ToFigure(),
        ["attention-nan"] = () => NotANumber.Attention().ToFigure(),
        ["predictions-nan"] = () => NotANumber.Predictions().ToFigure(),
        ["training-nan"] = () => Synthetic.With(Trained.Plain.Run, _ => double.NaN).ToFigure(),
        ["history-nan"] = () => Synthetic.With(Trained.Plain.Run, n => n < 0.1 ? double.NaN : double.PositiveInfinity).ToGradientHistoryFigure(),
        ["tape-infinite"] = () => Infinite.Tape.ToFigure(),
        ["flow-infinite"] = () => Infinite.GradientFlow().ToFigure(),
        ["attention-infinite"] = () => Infinite.Attention().ToFigure(),
        ["training-infinite"] = () => Synthetic.With(Trained.Plain.Run, n => n > 2.5 ? double.PositiveInfinity : n).ToFigure(),
        ["model-zero"] = () => Zero.Model.ToFigure(),
        ["tape-zero"] = () => Zero.Tape.ToFigure(),
        ["flow-zero-real"] = () => Zero.GradientFlow().ToFigure(),
        ["attention-zero"] = () => Zero.Attention().ToFigure(),
        ["training-constant"] = () => Synthetic.With(Trained.Plain.Run, _ => 2.5).ToFigure(),
        ["training-zero"] = () => Synthetic.With(Trained.Plain.Run, _ => 0).ToFigure(),
        ["history-zero"] = () => Synthetic.With(Trained.Plain.Run, _ => 0).ToGradientHistoryFigure(),
        ["history-constant"] = () => Synthetic.With(Trained.Plain.Run, _ => 0.3).ToGradientHistoryFigure(),
        ["history-one-step"] = () => (Trained.Plain.Run with { GradientNorms = Trained.Plain.Run.GradientNorms[..1], Metrics = Trained.Plain.Run.Metrics[..1] }).ToGradientHistoryFigure(),
        ["flow-odd-tokens"] = () => Synthetic.Flow(Synthetic.Config, Synthetic.OddTokens).ToFigure(),
        ["predictions-one"] = () => Synthetic.Predictions(["only", "other"]).ToFigure(),
        ["predictions-none"] = () => new PredictionFrame(0, [], []).ToFigure(),
    };

    private static Frame NotANumber => Synthetic.With(Trained.Teaching.Frame, _ => float.NaN, _ => float.NaN);

    private static Frame Infinite => Synthetic.With(Trained.Teaching.Frame, v => v > 0.5 ? float.PositiveInfinity : v, g => g < -0.01 ? float.NegativeInfinity : g);

    private static Frame Zero => Synthetic.With(Trained.Teaching.Frame, v => v, _ => 0);

    public static IEnumerable<KeyValuePair<string, Func<Figure>>> All => Real.Concat(OfTeachingModel).Concat(OfDeepModel).Concat(Edges);

    public static TheoryData<string> Names => [.. All.Select(f => f.Key)];

    public static TheoryData<string> RealNames => [.. Real.Keys];

    public static Figure Draw(string name) => All.Single(f => f.Key == name).Value();
}
