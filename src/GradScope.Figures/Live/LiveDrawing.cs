using System.Globalization;

namespace GradScope.Figures;

/// <summary>
/// Lays a live view out: a bar of progress, then two columns of small panels, then the heads' maps. In a page each of them is a piece of
/// its own, and where it is narrow the page lays the same pieces out in one column: a second drawing of them would double each update.
/// </summary>
internal sealed class LiveDrawing
{
    private const double Width = 660, Tile = Width / 2, Column = Tile - 2 * Sheet.Margin, PanelHeight = 96, AxisWidth = 40;
    private const double LargestMap = 132, SmallestMap = 56, MapGap = Sheet.Margin;
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

    public Drawing Draw()
    {
        var y = Heading(Width);
        // Its lines are too long for a narrow place; they alone are written again.
        var top = Sheet.Top - Sheet.Margin;
        var at = Sheet.Body.Length;
        using (Sheet.Group(0, y - top))
        {
            Sheet.Cuts.Add(new(y, at, title) { Width = Tile, Height = Heading(Tile) - top, Classes = " gs-tile gs-narrow", IsApart = true });
        }

        if (frame.Run.Metrics.IsEmpty) return new(Sheet, Width, y) { Layout = Layout(Tile) };

        foreach (var row in Panels().Chunk(2))
        {
            for (var i = 0; i < row.Length; i++)
            {
                Sheet.Cuts.Add(new(y, Sheet.Body.Length, row[i].Name) { X = i * Tile, Width = Tile, Height = PanelHeight + 46, Classes = " gs-tile" });
                row[i].Draw(i * Tile + Sheet.Margin, y);
            }

            y += PanelHeight + 46;
            Sheet.Body.Line();
        }

        var pitch = Tile;
        if (Shows(LiveParts.Attention) && frame.Probe is { } probe) (y, pitch) = Attention(probe.Attention(), y);
        return new(Sheet, Width, y + Sheet.Margin - 8) { Layout = Layout(pitch) };
    }

    /// <summary>How the pieces lie: beside each other as far as there is room, a layer's maps below the one's before.</summary>
    private static string Layout(double pitch)
    {
        const double Most = 1.1;
        return $"& .gs-drawn{{container-type:inline-size;contain-intrinsic-inline-size:{StyleSheet.Pixels(Width)}}}& .gs-drawn>svg{{min-width:0}}& .gs-drawn>svg.gs-tile{{float:left;width:50%}}"
            + $"& .gs-drawn>svg.gs-map{{width:{Share(pitch / Width)}}}& .gs-drawn>.gs-first{{clear:left}}& .gs-drawn>svg.gs-narrow{{display:none}}"
            + $"@container(max-width:{StyleSheet.Pixels(StyleSheet.Least(Width) - 1)}){{& .gs-drawn>svg:first-child{{display:none}}& .gs-drawn>svg.gs-tile{{display:block;width:100%;max-width:{StyleSheet.Pixels(Most * Tile)}}}"
            + $"& .gs-drawn>svg.gs-map{{width:{Share(pitch / Tile)};max-width:{StyleSheet.Pixels(Most * pitch)}}}}}";

        static string Share(double share) => (100 * share).ToString("0.##", CultureInfo.InvariantCulture) + "%";
    }

    /// <summary>Title, progress and measured numbers, as wide as there is room; answers the y below them.</summary>
    private double Heading(double width)
    {
        Sheet.Header(width, title, [frame.Progress.ToString(), .. LiveFigure.Measured(frame.Run) is { } numbers ? [numbers] : Array.Empty<string>()]);
        var y = Sheet.Top;
        if (frame.Progress.Share is { } share)
        {
            Sheet.Rect(Sheet.Margin, y, width - 2 * Sheet.Margin, 6, Tone.Rule.Fill(), radius: 3);
            if (share > 0) Sheet.Rect(Sheet.Margin, y, share * (width - 2 * Sheet.Margin), 6, Tone.Value.Fill(), radius: 3);
            y += 16;
        }

        return frame.Run.Metrics.IsEmpty ? Sheet.Notes(Sheet.Margin, y, width - 2 * Sheet.Margin, "No step was made yet.") + Sheet.Margin : y;
    }

    private bool Shows(LiveParts part) => frame.Parts.HasFlag(part);

    private IEnumerable<(string Name, Action<double, double> Draw)> Panels()
    {
        if (Shows(LiveParts.Loss))
        {
            yield return ("loss", (x, y) => Panel(new("loss, nats", PanelHeight, Numbers.Short, new Curve("", Tone.Loss, [.. metrics.Select(m => (m.Step, m.Loss))])) { Baselines = frame.Run.Baselines }, x, y));
            yield return ("accuracy", (x, y) => Panel(new("accuracy", PanelHeight, Numbers.Percent, new Curve("", Tone.Value, [.. metrics.Select(m => (m.Step, m.Accuracy))])), x, y));
        }

        if (Shows(LiveParts.GradientNorms)) yield return ("gradient norm", (x, y) => Panel(new("gradient norm (log)", PanelHeight, Numbers.Short, new Curve("", Tone.Gradient, [.. metrics.Select(m => (m.Step, m.GradientNorm))])) { IsLog = true }, x, y));
        if (Shows(LiveParts.GradientFlow) && frame.Probe is { } probe) yield return ("gradient flow", (x, y) => Flow(probe.GradientFlow(), x, y));
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

    /// <summary>The heads' maps; answers the y below them, and how wide a map is with what is beside it.</summary>
    private (double Y, double Pitch) Attention(AttentionFrame attention, double y)
    {
        var heads = attention.Layers.SelectMany(l => Enumerable.Range(0, l.HeadCount).Select(h => (Layer: l, Head: h))).ToList();
        var shown = heads.Take(MostMaps).ToList();
        var tokens = attention.Tokens.Select(TokenText.Show).ToList();
        var label = Math.Min(40, tokens.Max(t => Sheet.WidthOf(t, Face.Number)) + 6);
        var map = Math.Clamp((Width - MapGap) / attention.Layers[0].HeadCount - MapGap - label, SmallestMap, LargestMap);
        var step = map / tokens.Count;
        var isLabelled = step >= 10;
        var pitch = MapGap + (isLabelled ? label : 0) + map;
        var perRow = Math.Min(attention.Layers[0].HeadCount, (int)(Width / pitch));
        var (top, at) = (y, Sheet.Body.Length);
        Sheet.Text(Sheet.Margin, y + 12, "attention on the probe", Face.Text);
        y = Sheet.Notes(Sheet.Margin, y + 16, Column, ["a row is who asks, a column who is looked at", .. heads.Count == shown.Count ? Array.Empty<string>() : [$"the first {shown.Count} of {heads.Count} heads"]]) + 7;
        Sheet.Cuts.Add(new(top, at, "attention on the probe") { Width = Tile, Height = y - top, Classes = " gs-tile gs-first" });
        foreach (var layer in shown.GroupBy(s => s.Layer.Layer))
        {
            foreach (var (i, (values, head)) in layer.Index())
            {
                if (i > 0 && i % perRow == 0) y += map + 30;
                var left = i % perRow * pitch;
                var x = left + pitch - map;
                var name = string.Create(CultureInfo.InvariantCulture, $"layer {layer.Key} head {head}");
                Sheet.Cuts.Add(new(y, Sheet.Body.Length, name) { X = left, Width = pitch, Height = map + 30, Classes = i == 0 ? " gs-tile gs-map gs-first" : " gs-tile gs-map" });
                Sheet.Text(x, y + 11, Sheet.WidthOf(name, Face.Note) < map + 12 ? name : string.Create(CultureInfo.InvariantCulture, $"L{layer.Key} H{head}"), Face.Note);
                Heatmap.Draw(Sheet, Cells.OfAttention(values.Pattern, head, attention.Causal).Thin(MostCells, MostCells), Ramp.Share with { Grain = 2 }, x, y + 17, map, map, title: name);
                for (var t = 0; isLabelled && t < tokens.Count; t++)
                {
                    Sheet.Text(x - 5, y + 17 + (t + 0.5) * step + 4, tokens[t], Face.Number, Anchor.End, fit: label - 4);
                }
            }

            y += map + 30;
        }

        return (y, pitch);
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
