using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>
/// The gradient on its way back along the residual stream: how strong it is at each station, what each branch adds to it,
/// and how strongly it pulls at each parameter.
/// </summary>
public static class GradientFlowFigure
{
    /// <summary>Draws the flow of one backward pass; where none has run, the values' side alone, and says so.</summary>
    public static Figure Draw(GradientFlowFrame frame, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var maps = new DrawnMaps<(int Block, int Head)>();
        return Figure.From(
            new FlowRow(frame, options, maps).Draw(), new FlowColumn(frame, options, maps).Draw(), TitleOf(options), Summary(frame, options), maps.Payload,
            [Stations(frame), Branches(frame), Parameters(frame)]);
    }

    internal static string TitleOf(FigureOptions options) => options.Title ?? "Gradient flow";

    /// <summary>A station's state where it is alarming, in a word; otherwise null.</summary>
    internal static string? Alarm(double? norm, FigureOptions options) => norm switch
    {
        null => null,
        { } n when !double.IsFinite(n) => "not finite",
        0 => "no gradient",
        { } n when n < options.VanishingBelow => "vanishing",
        { } n when n > options.ExplodingAbove => "exploding",
        _ => null,
    };

    /// <summary>What a parameter is called inside its branch: wq for blocks.0.attn.wq.weight.</summary>
    internal static string ShortName(string parameter, string branch)
    {
        var name = parameter.StartsWith(branch + ".", StringComparison.Ordinal) ? parameter[(branch.Length + 1)..]
            : parameter.StartsWith("blocks.", StringComparison.Ordinal) ? parameter[(parameter.IndexOf('.', 7) + 1)..]
            : parameter;
        return WithoutWeight(name);
    }

    /// <summary>A weight goes by its module's name, as in code: wq for wq.weight.</summary>
    internal static string WithoutWeight(string name) => name.EndsWith(".weight", StringComparison.Ordinal) ? name[..^7] : name;

    private static string Summary(GradientFlowFrame frame, FigureOptions options)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{TitleOf(options)} at step {frame.Step}, loss {Numbers.Short(frame.Loss)} nats.");
        if (!frame.BackwardHasRun) return text.Append(" Backward has not run, so there are no gradients yet.").ToString();

        text.Append("\n‖∂L/∂x‖ along the residual stream, from the loss back:");
        foreach (var station in frame.Stations.Reverse())
        {
            text.Append($"\n  {station.Name}  {(station.GradNorm is { } norm ? Numbers.Short(norm) : "–")}");
            if (Alarm(station.GradNorm, options) is { } alarm) text.Append($"  ({alarm})");
        }

        text.Append("\nEach branch's part of the gradient where it reads the stream (projection on the whole):");
        foreach (var branch in frame.Branches.Reverse())
        {
            text.Append($"\n  {branch.Path}  {(branch.BranchShare is { } share ? Numbers.Percent(share) : "–")}");
            if (branch.BranchShare < 0 || branch.SkipShare < 0) text.Append(branch.BranchShare < 0 ? "  (works against the whole)" : "  (the skip works against the whole)");
        }

        return text.ToString();
    }

    private static DataTable Stations(GradientFlowFrame frame) => new(
        "Residual stream", 1, ["place", "‖x‖", "‖∂L/∂x‖"],
        [.. frame.Stations.Select(s => (string[])[s.Name, Numbers.Exact(s.ValueNorm), Numbers.Exact(s.GradNorm)])]);

    private static DataTable Branches(GradientFlowFrame frame) => new(
        "Branches", 1, ["branch", "‖∂L/∂output‖", "‖∂L/∂x through it‖", "its share", "skip's share"],
        [.. frame.Branches.Select(b => (string[])[b.Path, Numbers.Exact(b.OutputGradNorm), Numbers.Exact(b.BranchGradNorm), Numbers.Exact(b.BranchShare), Numbers.Exact(b.SkipShare)])]);

    private static DataTable Parameters(GradientFlowFrame frame) => new(
        "Parameters", 2, ["parameter", "shape", "‖gradient‖", "‖weights‖"],
        [.. frame.Model.Parameters.Select(p => (string[])[p.Name, p.Shape.ToString(), Numbers.Exact(p.GradNorm), Numbers.Exact(p.ValueNorm)])]);
}
