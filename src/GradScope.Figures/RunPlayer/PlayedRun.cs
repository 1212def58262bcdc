using System.Collections.Immutable;

namespace GradScope.Figures;

/// <summary>A picture of the model at a step, taken apart for the run player.</summary>
internal sealed record PlayedFrame(Frame Frame)
{
    public int Step => Frame.Step;

    public double Loss => Frame.Loss;

    public ImmutableArray<string> Tokens => Frame.Tokens;

    public AttentionFrame Attention { get; } = Frame.Attention();

    public GradientFlowFrame Flow { get; } = Frame.GradientFlow();

    public PredictionFrame Predictions { get; } = Frame.Predictions();
}

/// <summary>What of a run is played: which steps the cursor stops at, which pictures are kept, and how fine their maps are.</summary>
internal sealed class PlayedRun
{
    private const int MostStops = 2000, FewestStops = 200, MostNorms = 150_000, MostNumbers = 220_000, MostMapNumbers = 10_000;

    public PlayedRun(Run run, FigureOptions options)
    {
        Run = run;
        var most = Math.Clamp(MostNorms / Math.Max(1, run.ParameterNames.Length), FewestStops, MostStops);
        StopEvery = (run.Metrics.Length + most - 1) / most;
        Metrics = [.. run.Metrics.Where((_, i) => (i + 1) % StopEvery == 0 || i == run.Metrics.Length - 1)];
        Norms = [.. run.GradientNorms.Where((_, i) => (i + 1) % StopEvery == 0 || i == run.GradientNorms.Length - 1)];

        // Pictures of another input than the last one's cannot stand in the same maps.
        ImmutableArray<Frame> alike = run.Frames.IsEmpty ? [] : [.. run.Frames.Where(f => f.Tokens.SequenceEqual(run.Frames[^1].Tokens))];
        if (alike.IsEmpty) return;

        var (config, length) = (run.Model.Config, alike[0].Tokens.Length);
        MapSide = Math.Min(length, Math.Clamp((int)Math.Sqrt(MostMapNumbers / 2.0 / (config.LayerCount * config.HeadCount)), 8, 32));
        var block = (length + MapSide - 1) / MapSide;
        MapSide = (length + block - 1) / block;
        var perFrame = 2 * config.LayerCount * config.HeadCount * MapSide * MapSide + run.Model.Parameters.Length + 5 * (config.LayerCount * 2 + 1) + 3 * length;
        FrameEvery = (alike.Length + Math.Max(2, MostNumbers / perFrame) - 1) / Math.Max(2, MostNumbers / perFrame);
        Frames = [.. alike.Where((_, i) => (alike.Length - 1 - i) % FrameEvery == 0).Select(f => new PlayedFrame(f))];
        FrameCount = alike.Length;
        Weights = PlayedWeights.Of(run, Frames);
        (Layer, Head) = Choose(Frames[^1].Attention, options);
    }

    public Run Run { get; }

    /// <summary>Each how many steps the cursor stops.</summary>
    public int StopEvery { get; }

    /// <summary>The metrics at the stops.</summary>
    public ImmutableArray<Metrics> Metrics { get; }

    /// <summary>The parameters' gradient norms at the stops.</summary>
    public ImmutableArray<ImmutableArray<float>> Norms { get; }

    /// <summary>The pictures that are kept, the last one always.</summary>
    public IReadOnlyList<PlayedFrame> Frames { get; } = [];

    /// <summary>The parameters' numbers; null where no picture has them.</summary>
    public PlayedWeights? Weights { get; }

    public int FrameCount { get; }

    /// <summary>Of how many pictures one is kept.</summary>
    public int FrameEvery { get; } = 1;

    /// <summary>Rows and columns of an attention map, after thinning.</summary>
    public int MapSide { get; }

    /// <summary>Which attention is shown first: an index into the layers, and a head.</summary>
    public int Layer { get; }

    public int Head { get; }

    public ImmutableArray<string> Tokens => Frames.Count == 0 ? [] : Frames[0].Tokens;

    /// <summary>The places on the residual stream.</summary>
    public IEnumerable<string> Stations => Frames.Count == 0 ? [] : Frames[0].Flow.Stations.Select(s => s.Name);

    /// <summary>The parameter that is shown first: the one the loss pulled at most in the last step.</summary>
    public int Parameter => Norms.IsEmpty ? 0 : Enumerable.Range(0, Run.ParameterNames.Length).MaxBy(p => float.IsFinite(Norms[^1][p]) ? Norms[^1][p] : -1);

    /// <summary>One head's map in a picture, as fine as it is kept.</summary>
    public Cells CellsOf(PlayedFrame frame, Tensor maps, int head) => Cells.OfAttention(maps, head, frame.Attention.Causal).Thin(MapSide, MapSide);

    private static (int Layer, int Head) Choose(AttentionFrame attention, FigureOptions options)
    {
        if (attention.Layers.IsEmpty) return (0, 0);

        var (layer, head) = AttentionFigure.Choose(attention, options);
        return (attention.Layers.IndexOf(layer), head);
    }
}
