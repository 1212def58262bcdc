using System.Globalization;

namespace GradScope.Figures;

/// <summary>Lays attention out: the chosen head large, then a grid of all heads, each map with its gradient below it.</summary>
internal sealed class AttentionDrawing
{
    private const double LargeMap = 300, SmallMap = 72, Gap = 14, MostTitled = 400;
    private const int MostHeads = 12, MostLayers = 12;

    private readonly AttentionFrame frame;
    private readonly AttentionLayer chosen;
    private readonly int head;
    private readonly FigureOptions options;
    private readonly string title;
    private readonly double largest, labelWidth, map, width;
    private readonly int positions;

    public AttentionDrawing(AttentionFrame frame, string title, AttentionLayer chosen, int head, FigureOptions options)
    {
        (this.frame, this.title, this.chosen, this.head, this.options) = (frame, title, chosen, head, options);
        Sheet = new(options.Theme);
        positions = frame.Tokens.Length;
        largest = frame.Layers.Max(l => l.PatternGrad is { } g ? Cells.Measure(g.Values).Largest : 0);
        labelWidth = HasLabels ? Math.Clamp(frame.Tokens.Max(t => Sheet.WidthOf(TokenText.Show(t), Face.Number)), 8, 90) + 6 : 6;
        map = Math.Round(Math.Clamp(positions * 22, 66, LargeMap));
        width = Math.Ceiling(Math.Max(Math.Max(400, 2 * Sheet.Margin + Sides * (labelWidth + map) + (Sides - 1) * 20), 2 * Sheet.Margin + 56 + GridHeads * (SmallMap + Gap)));
    }

    public Sheet Sheet { get; }

    private int Sides => frame.BackwardHasRun ? 2 : 1;

    private bool HasLabels => positions <= 40;

    private int GridHeads => Math.Min(MostHeads, frame.Layers[0].HeadCount);

    /// <summary>The step, and how many positions there are.</summary>
    public string Subtitle => string.Create(CultureInfo.InvariantCulture, $"step {frame.Step} · {positions} position{(positions == 1 ? "" : "s")} · {(frame.Causal ? "causal" : "each query sees all keys")}");

    public (double Width, double Height) Draw()
    {
        Sheet.Header(
            width, title, Subtitle,
            string.Create(CultureInfo.InvariantCulture, $"layer {chosen.Layer} head {head}{(options.Layer is null && options.Head is null && largest > 0 && frame.Layers.Length * chosen.HeadCount > 1 ? ", the one with the largest ‖∂L/∂A‖" : "")}"));
        var y = Large(Sheet.Top + 4);
        if (frame.Layers.Length * chosen.HeadCount > 1) y = Grid(y + 16);
        return (width, Notes(y + 10) + Sheet.Margin - 4);
    }

    private double Large(double y)
    {
        var left = Sheet.Margin + labelWidth;
        var top = y + 18 + (HasLabels ? KeyHeight + 6 : 6);
        Sheet.Text(left, y + 11, "A", Face.Note.In(Tone.Value), fit: Sides == 2 ? map + 20 : width - left - Sheet.Margin);
        One(chosen.Pattern, Ramp.Share, left, top, "A");
        if (chosen.PatternGrad is { } gradient)
        {
            var right = left + map + 20 + labelWidth;
            Sheet.Text(right, y + 11, "∂L/∂A", Face.Note.In(Tone.Gradient), fit: width - right - Sheet.Margin);
            One(gradient, Ramp.Signed(Cells.OfAttention(gradient, head, frame.Causal).Largest), right, top, "∂L/∂A");
        }

        var bottom = top + map + 12;
        Heatmap.Legend(Sheet, Ramp.Share, signed: false, left, bottom);
        if (chosen.PatternGrad is { } own)
        {
            Heatmap.Legend(Sheet, Ramp.Signed(Cells.OfAttention(own, head, frame.Causal).Largest), signed: true, left + map + 20 + labelWidth, bottom, 90);
        }
        else
        {
            Sheet.Text(left + 90, bottom + 9, "backward has not run: no ∂L/∂A yet", Face.Note);
        }

        return bottom + 24;
    }

    private double KeyHeight => NeedsTurn ? labelWidth : 12;

    private bool NeedsTurn => labelWidth - 6 > map / positions - 2;

    private void One(Tensor maps, Ramp ramp, double x, double y, string name)
    {
        var all = Cells.OfAttention(maps, head, frame.Causal);
        var cells = all.Thin(options.MaxCells, options.MaxCells);
        Heatmap.Draw(Sheet, cells, ramp, x, y, map, map, cells.Rows * cells.Columns <= MostTitled ? Tell : null);
        if (!HasLabels) return;

        var step = map / positions;
        var every = (int)Math.Ceiling(13 / step);
        for (var i = 0; i < positions; i += every)
        {
            var token = TokenText.Show(frame.Tokens[i]);
            var centre = (i + 0.5) * step;
            Sheet.Text(x - 6, y + centre + 4, token, Face.Number, Anchor.End, fit: labelWidth - 5);
            if (NeedsTurn) Sheet.Text(x + centre + 4, y - 6, token, Face.Number, fit: labelWidth - 5, turn: -90);
            else Sheet.Text(x + centre, y - 6, token, Face.Number, Anchor.Middle);
        }

        string Tell(int q, int k) => $"{name}: {TokenText.Show(frame.Tokens[q])} ({q}) → {TokenText.Show(frame.Tokens[k])} ({k}): {Numbers.Exact(all[q, k])}";
    }

    private double Grid(double y)
    {
        Sheet.Text(Sheet.Margin, y + 12, "all heads", Face.Heading);
        y += 22;
        var layers = frame.Layers.Length <= MostLayers ? frame.Layers : frame.Layers[..MostLayers];
        for (var h = 0; h < GridHeads; h++)
        {
            Sheet.Text(X(h) + SmallMap / 2, y + 11, string.Create(CultureInfo.InvariantCulture, $"head {h}"), Face.Note, Anchor.Middle);
        }

        y += 18;
        foreach (var layer in layers)
        {
            Sheet.Text(Sheet.Margin, y + 12, string.Create(CultureInfo.InvariantCulture, $"layer {layer.Layer}"), Face.Note);
            Sheet.Text(Sheet.Margin, y + SmallMap / 2 + 12, "A", Face.Note.In(Tone.Value));
            if (layer.PatternGrad is not null) Sheet.Text(Sheet.Margin, y + SmallMap * 1.5 + 10, "∂L/∂A", Face.Note.In(Tone.Gradient));
            for (var h = 0; h < GridHeads; h++)
            {
                Small(layer.Pattern, h, Ramp.Share, X(h), y, string.Create(CultureInfo.InvariantCulture, $"layer {layer.Layer} head {h}: A"));
                if (layer.PatternGrad is { } gradient)
                {
                    Small(gradient, h, Ramp.Signed(largest), X(h), y + SmallMap + 6, string.Create(CultureInfo.InvariantCulture, $"layer {layer.Layer} head {h}: ‖∂L/∂A‖ {Numbers.Short(AttentionFigure.NormOf(gradient, h))}"));
                }

                if (layer == chosen && h == head) Sheet.Rect(X(h) - 3.5, y - 3.5, SmallMap + 7, (SmallMap + 6) * Sides + 1, Tone.Ink.Stroke(), radius: 3);
            }

            y += (SmallMap + 6) * Sides + 12;
        }

        return y;

        double X(int h) => Sheet.Margin + 56 + h * (SmallMap + Gap);
    }

    private void Small(Tensor maps, int h, Ramp ramp, double x, double y, string title) =>
        Heatmap.Draw(Sheet, Cells.OfAttention(maps, h, frame.Causal).Thin(24, 24), ramp with { Grain = 4 }, x, y, SmallMap, SmallMap, title: title);

    private double Notes(double y)
    {
        List<string> notes = ["A: how much each query (row) takes from each key (column); a row sums to 1."];
        if (frame.Causal && positions > 1) notes.Add("Hatched: not allowed, the key comes after the query.");
        if (!HasLabels) notes.Add("Above 40 positions the tokens are not written at the map.");
        if (frame.BackwardHasRun) notes.Add($"∂L/∂A: orange (above 0) where more attention would raise the loss, teal with a dash (below 0) where it would lower it. Small maps share the scale ±{Numbers.Short(largest)}.");
        var cells = Cells.OfAttention(chosen.Pattern, head, frame.Causal);
        if (cells.Thin(options.MaxCells, options.MaxCells).ThinningNote(cells.Rows, cells.Columns) is { } thinned) notes.Add(thinned + ".");
        if (frame.Layers.Length * chosen.HeadCount > 1 && positions > 24) notes.Add("Small maps have at most 24 × 24 cells, thinned by the same rule.");
        if (frame.Layers.Length > MostLayers || chosen.HeadCount > MostHeads) notes.Add($"Of {frame.Layers.Length} layers × {chosen.HeadCount} heads the first {Math.Min(MostLayers, frame.Layers.Length)} × {GridHeads} are drawn.");
        var bad = frame.Layers.Sum(l => Cells.Measure(l.Pattern.Values).NotFinite + (l.PatternGrad is { } g ? Cells.Measure(g.Values).NotFinite : 0));
        if (bad > 0) notes.Add($"{Numbers.Count(bad)} numbers are NaN or ∞; crosses in red mark them.");
        return Sheet.Notes(Sheet.Margin, y, width - 2 * Sheet.Margin, [.. notes]);
    }
}
