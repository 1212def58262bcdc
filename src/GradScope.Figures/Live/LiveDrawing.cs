using System.Globalization;

namespace GradScope.Figures;

/// <summary>Lays a live view out: a bar of progress, then two columns of small panels, then the heads' maps.</summary>
internal sealed class LiveDrawing
{
    private const double Width = 660, ColumnGap = 28, Column = (Width - 2 * Sheet.Margin - ColumnGap) / 2, PanelHeight = 96, AxisWidth = 40;
    private const double LargestMap = 132, SmallestMap = 56, MapGap = 14;
    private const int MostPoints = 200, MostMaps = 16, MostCells = 24;

    private readonly LiveFrame frame;
    private readonly string title;
    private readonly IReadOnlyList<Metrics> metrics;

    public LiveDrawing(LiveFrame frame, string title, FigureOptions options)
    {
        (this.frame, this.title) = (frame, title);
        Sheet = new(options.Theme);
        metrics = Thin(frame.Run.Metrics);
    }

    private Sheet Sheet { get; }

    /// <summary>Draws it once: what is drawn several times a second is not drawn again for narrow places.</summary>
    public Drawing Draw()
    {
        Sheet.Header(Width, title, [frame.Progress.ToString(), .. LiveFigure.Measured(frame.Run) is { } numbers ? [numbers] : Array.Empty<string>()]);
        var y = Sheet.Top;
        if (frame.Progress.Share is { } share)
        {
            Sheet.Rect(Sheet.Margin, y, Width - 2 * Sheet.Margin, 6, Tone.Rule.Fill(), radius: 3);
            if (share > 0) Sheet.Rect(Sheet.Margin, y, share * (Width - 2 * Sheet.Margin), 6, Tone.Value.Fill(), radius: 3);
            y += 16;
        }

        if (frame.Run.Metrics.IsEmpty) return new(Sheet, Width, Sheet.Notes(Sheet.Margin, y, Width - 2 * Sheet.Margin, "No step was made yet.") + Sheet.Margin);

        foreach (var row in Panels().Chunk(2))
        {
            for (var i = 0; i < row.Length; i++) row[i](Sheet.Margin + i * (Column + ColumnGap), y);
            y += PanelHeight + 46;
            Sheet.Body.Line();
        }

        if (Shows(LiveParts.Attention) && frame.Probe is { } probe) y = Attention(probe.Attention(), y);
        return new(Sheet, Width, y + Sheet.Margin - 8);
    }

    private bool Shows(LiveParts part) => frame.Parts.HasFlag(part);

    private IEnumerable<Action<double, double>> Panels()
    {
        if (Shows(LiveParts.Loss))
        {
            yield return (x, y) => Panel(new("loss, nats", PanelHeight, Numbers.Short, new Curve("", Tone.Loss, [.. metrics.Select(m => (m.Step, m.Loss))])) { Baselines = frame.Run.Baselines }, x, y);
            yield return (x, y) => Panel(new("accuracy", PanelHeight, Numbers.Percent, new Curve("", Tone.Value, [.. metrics.Select(m => (m.Step, m.Accuracy))])), x, y);
        }

        if (Shows(LiveParts.GradientNorms)) yield return (x, y) => Panel(new("gradient norm (log)", PanelHeight, Numbers.Short, new Curve("", Tone.Gradient, [.. metrics.Select(m => (m.Step, m.GradientNorm))])) { IsLog = true }, x, y);
        if (Shows(LiveParts.GradientFlow) && frame.Probe is { } probe) yield return (x, y) => Flow(probe.GradientFlow(), x, y);
    }

    private void Panel(CurvePanel panel, double x, double y)
    {
        var panels = new CurvePanels(Sheet, x, x + Column, metrics.Count, namesStandAbove: false, panel);
        var steps = Axis.Linear(Math.Min(metrics[0].Step, 1) - 1, metrics[^1].Step, panels.Left, panels.Right, 3);
        panels.Steps(steps, panels.Draw(steps, y) - CurvePanels.Space + 4);
    }

    /// <summary>A bar for each place on the residual stream, from the embedding on the left to the last block on the right.</summary>
    private void Flow(GradientFlowFrame flow, double x, double y)
    {
        Sheet.Text(x, y + 12, "← gradient flow ‖∂L/∂x‖ (log)", Face.Text);
        var (left, right, top, bottom) = (x + AxisWidth, x + Column, y + 24, y + 24 + PanelHeight);
        var scale = LogScale.Of([.. flow.Stations.Select(s => s.GradNorm)]);
        if (!flow.BackwardHasRun)
        {
            Sheet.Text(left, top + 14, "backward has not run", Face.Note);
            return;
        }

        foreach (var exponent in scale.Ticks(4))
        {
            var at = bottom - scale.At(Math.Pow(10, exponent)) * PanelHeight;
            Sheet.Line(left, at, right, at, Tone.Rule);
            Sheet.Text(left - 6, at + 4, Numbers.PowerOfTen(exponent), Face.Number.In(Tone.Muted), Anchor.End);
        }

        var pitch = (right - left) / flow.Stations.Length;
        for (var i = 0; i < flow.Stations.Length; i++)
        {
            var station = flow.Stations[i];
            var height = station.GradNorm is > 0 and var norm ? Math.Max(2, scale.At(norm) * PanelHeight) : 0;
            var title = $"{station.Name}: ‖∂L/∂x‖ = {(station.GradNorm is null ? "not computed: all before it is frozen" : Numbers.Exact(station.GradNorm))}";
            Sheet.Rect(left + i * pitch + 0.15 * pitch, bottom - height, 0.7 * pitch, height, $"{Tone.Gradient.Fill()} {Ribbons.Class}", radius: 1.5, title: title);
            if (i > 0 && flow.Branches[i - 1] is { IsAttention: true, Block: var block })
            {
                Sheet.Text(left + i * pitch, bottom + 14, string.Create(CultureInfo.InvariantCulture, $"{block}"), Face.Number.In(Tone.Muted), Anchor.Middle);
            }
        }

        Sheet.Text(left, bottom + 14, "block", Face.Note, Anchor.End);
    }

    private double Attention(AttentionFrame attention, double y)
    {
        var heads = attention.Layers.SelectMany(l => Enumerable.Range(0, l.HeadCount).Select(h => (Layer: l, Head: h))).ToList();
        var shown = heads.Take(MostMaps).ToList();
        var tokens = attention.Tokens.Select(TokenText.Show).ToList();
        var label = Math.Min(40, tokens.Max(t => Sheet.WidthOf(t, Face.Number)) + 6);
        var map = Math.Clamp((Width - 2 * Sheet.Margin + MapGap) / attention.Layers[0].HeadCount - MapGap - label, SmallestMap, LargestMap);
        var step = map / tokens.Count;
        var isLabelled = step >= 10;
        var pitch = map + MapGap + (isLabelled ? label : 0);
        var perRow = Math.Max(1, Math.Min(attention.Layers[0].HeadCount, (int)((Width - 2 * Sheet.Margin + MapGap) / pitch)));
        Sheet.Text(Sheet.Margin, y + 12, "attention on the probe: a row is who asks, a column who is looked at", Face.Text, fit: Width - 2 * Sheet.Margin);
        y += 22;
        foreach (var layer in shown.GroupBy(s => s.Layer.Layer))
        {
            foreach (var row in layer.Chunk(perRow))
            {
                for (var i = 0; i < row.Length; i++)
                {
                    var x = Sheet.Margin + i * pitch + (isLabelled ? label : 0);
                    var name = string.Create(CultureInfo.InvariantCulture, $"layer {layer.Key} head {row[i].Head}");
                    Sheet.Text(x, y + 11, name, Face.Note, fit: pitch - 4);
                    Heatmap.Draw(Sheet, Cells.OfAttention(row[i].Layer.Pattern, row[i].Head, attention.Causal).Thin(MostCells, MostCells), Ramp.Share with { Grain = 2 }, x, y + 17, map, map, title: name);
                    for (var t = 0; isLabelled && t < tokens.Count; t++)
                    {
                        Sheet.Text(x - 5, y + 17 + (t + 0.5) * step + 4, tokens[t], Face.Number, Anchor.End, fit: label - 4);
                    }
                }

                y += map + 30;
            }
        }

        return heads.Count == shown.Count ? y : Sheet.Notes(Sheet.Margin, y, Width - 2 * Sheet.Margin, $"The first {shown.Count} of {heads.Count} heads.");
    }

    /// <summary>At most so many points, each the mean of its part of the training.</summary>
    private static IReadOnlyList<Metrics> Thin(IReadOnlyList<Metrics> all)
    {
        if (all.Count <= MostPoints) return all;

        var thin = new Metrics[MostPoints];
        for (var i = 0; i < MostPoints; i++)
        {
            var (from, to) = ((int)((long)i * all.Count / MostPoints), (int)((long)(i + 1) * all.Count / MostPoints));
            var (loss, accuracy, norm) = (0.0, 0.0, 0.0);
            for (var j = from; j < to; j++) (loss, accuracy, norm) = (loss + all[j].Loss, accuracy + all[j].Accuracy, norm + all[j].GradientNorm);
            thin[i] = all[to - 1] with { Loss = loss / (to - from), Accuracy = accuracy / (to - from), GradientNorm = norm / (to - from) };
        }

        return thin;
    }
}
