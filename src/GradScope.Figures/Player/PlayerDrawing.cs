using System.Globalization;

namespace GradScope.Figures;

/// <summary>The whole step as one picture: a strip of all operations' norms, values above and gradients below, then one backward step opened.</summary>
internal sealed class PlayerDrawing
{
    private const double Width = 760, BarHeight = 58, PartGap = 14, MapWidth = 112, MapHeight = 64, MapGap = 16, Shortest = 3;

    private readonly PlayedTape played;
    private readonly NormScales scales;
    private readonly string title, subtitle;
    private readonly IReadOnlyList<PlayerCells> layouts;

    public PlayerDrawing(PlayedTape played, NormScales scales, string title, string subtitle, FigureOptions options)
    {
        (this.played, this.scales, this.title, this.subtitle) = (played, scales, title, subtitle);
        Sheet = new(options.Theme);
        layouts = [.. played.Rows.Values.Select(r => PlayerCells.Of(r, played.Tape.Nodes.Length))];
    }

    public Sheet Sheet { get; }

    public (double Width, double Height) Draw()
    {
        Sheet.Header(Width, title, subtitle);
        if (played.Operations.Count == 0) return (Width, Sheet.Notes(Sheet.Margin, Sheet.Top, Width - 2 * Sheet.Margin, "Nothing was recorded yet.") + Sheet.Margin);

        var y = Strip(Sheet.Top);
        if (played.Example is { } step) y = Opened(step, y + 14);
        return (Width, Sheet.Notes(Sheet.Margin, y + 8, Width - 2 * Sheet.Margin, [.. Notes]) + Sheet.Margin - 4);
    }

    /// <summary>How bars and maps are read.</summary>
    public IEnumerable<string> Notes
    {
        get
        {
            yield return $"Bars are norms on logarithmic scales, values from {Ends(scales.Value)}{(played.Backward.Count > 0 ? $", gradients from {Ends(scales.Grad)}" : "")}; the shortest bar is the low end or less.";
            yield return "Maps: paper is 0, the full colour the map's largest magnitude; orange is above 0, teal with a dash below, a value that is nowhere negative blue; a slash is masked.";
            if (layouts.Any(l => l.LeftOut > 0)) yield return $"Of tensors with many matrices the first {PlayerCells.MostMatrices} are drawn, beside each other.";
            if (layouts.FirstOrDefault(l => l.IsThinned) is { } thinned) yield return $"Maps have at most {thinned.MaxRows} × {thinned.MaxColumns} cells: a larger one shows the number of largest magnitude of each block.";

            static string Ends(LogScale scale) => $"{Numbers.PowerOfTen(scale.Low)} to {Numbers.PowerOfTen(scale.High)}";
        }
    }

    private double Strip(double y)
    {
        var left = Sheet.Margin;
        var usable = Width - 2 * Sheet.Margin;
        var gap = Math.Min(PartGap, usable / 4 / played.Parts.Count);
        var step = (usable - gap * (played.Parts.Count - 1)) / played.Operations.Count;
        var axis = y + 18 + BarHeight;
        Sheet.Text(left, y + 10, "values: forward →", Face.Note.In(Tone.Value));
        var x = left;
        foreach (var part in played.Parts)
        {
            var start = x;
            foreach (var operation in part.Operations)
            {
                Bars(operation.Node, x, step, axis);
                x += step;
            }

            Sheet.Line(start, axis, x - 1, axis, Tone.Muted);
            var named = played.Parts.Count > 1 ? part.Name.Replace("unembedding and loss", "to the loss", StringComparison.Ordinal) : "";
            var bottom = axis + (played.Backward.Count > 0 ? BarHeight : 0);
            var fit = x - start + gap - 4;
            if (fit > 40)
            {
                Sheet.Text(start, bottom + 16, named, Face.Note, fit: fit);
                Sheet.Text(start, bottom + 31, Number(part.Output, part.Output.Value, part.Output.ValueNorm), Face.Number.In(Tone.Value), fit: fit, title: $"‖{part.Output.Label}‖ {Numbers.Exact(part.Output.ValueNorm)}");
                if (part.Output.GradNorm is { } norm) Sheet.Text(start, bottom + 46, Number(part.Output, part.Output.Grad, norm), Face.Number.In(Tone.Gradient), fit: fit, title: $"‖∂L/∂{part.Output.Label}‖ {Numbers.Exact(norm)}");
            }

            x += gap;
            Sheet.Body.Line();
        }

        if (played.Backward.Count == 0) return axis + 38;

        Sheet.Text(Width - Sheet.Margin, axis + BarHeight + 62, "← backward: gradients", Face.Note.In(Tone.Gradient), Anchor.End);
        Sheet.Text(left, axis + BarHeight + 62, "below each part: the norms of its last value and of that value's gradient", Face.Note);
        return axis + BarHeight + 68;
    }

    private static string Number(NodeFrame node, Tensor? tensor, double norm) => (node.Shape.ElementCount == 1 ? "" : "‖·‖ ")
        + Numbers.Short(node.Shape.ElementCount == 1 && tensor is not null ? tensor.Values[0] : norm);

    private void Bars(NodeFrame node, double x, double step, double axis)
    {
        var width = Math.Max(1, step - Math.Min(3, step / 4));
        var isLoss = node.Index == played.Tape.Loss;
        var tall = Length(scales.Value, node.ValueNorm);
        if (tall > 0) Sheet.Rect(x, axis - tall, width, tall, (isLoss ? Tone.Loss : Tone.Value).Fill(), title: $"{node.Label} = {node.Formula}: {Number(node, node.Value, node.ValueNorm)}");
        if (node.GradNorm is not { } norm) return;

        var deep = Length(scales.Grad, norm);
        if (deep > 0) Sheet.Rect(x, axis, width, deep, $"{Tone.Gradient.Fill()} {Ribbons.Class}", title: $"∂L/∂{node.Label}: {Number(node, node.Grad, norm)}");
        else Sheet.Line(x, axis + 3, x + width, axis + 3, Tone.Loss);
    }

    /// <summary>A bar's length to a tenth of a pixel; none for zero, which is not on a logarithmic scale.</summary>
    private static double Length(LogScale scale, double norm) => norm == 0 ? 0 : Math.Round(Shortest + scale.At(norm) * (BarHeight - Shortest), 1);

    private double Opened(BackwardStep step, double y)
    {
        var row = step.Operation;
        double arrow = Sheet.Margin + 3 * (MapWidth + MapGap), right = arrow + 70;
        Sheet.Line(Sheet.Margin, y, Width - Sheet.Margin, y, Tone.Rule);
        Sheet.Spans(Sheet.Margin, y + 22, Width - 2 * Sheet.Margin, ("One step of it, backward at ", Face.Heading), (row.Node.Label, Face.Code with { Bold = true }), (" = " + row.Shorten(row.Node.Formula), Face.Code.In(Tone.Muted)));
        var top = y + 34;
        var (left, middle) = (top, top);
        foreach (var addition in step.Additions)
        {
            left = Input(row, addition, left + 6);
            if (middle == top) middle = top + (left - top) / 2;
        }

        var output = Output(row, right, top + 6);
        Sheet.Line(arrow + 8, middle, right - 24, middle, Tone.Gradient, 2);
        Arrows.Head(Sheet, arrow + 6, middle, -1, 0, Tone.Gradient, 6, 2);
        Sheet.Text(arrow + 24, middle - 8, "chain rule", Face.Note.In(Tone.Gradient), Anchor.Middle);
        return Math.Max(left, output);
    }

    private double Input(TapeRow operation, Addition addition, double y)
    {
        var node = addition.Input;
        var name = operation.Shorten(node.Label);
        Sheet.Spans(Sheet.Margin, y + 12, 3 * (MapWidth + MapGap), (name, Face.Code.In(node.Kind == NodeKind.Parameter ? Tone.Parameter : Tone.Ink)), ($"  {node.Shape}", Face.Note),
            ($"  ∂L/∂{name} += ", Face.Number.In(Tone.Gradient)), (addition.Rule, Face.Number.In(Tone.Gradient)));
        y += 20;
        var below = Map(addition.Input, node.Value, node.ValueNorm, "value", Tone.Value, Sheet.Margin, y);
        if (addition.What is { } what)
        {
            below = Math.Max(below, Map(node, what.Added, what.Norm, addition.Of > 1 ? string.Create(CultureInfo.InvariantCulture, $"adds ({addition.Part} of {addition.Of})") : "adds", Tone.Gradient, Sheet.Margin + MapWidth + MapGap, y));
            if (addition.Of > 1) below = Math.Max(below, Map(node, what.Sum, what.SumNorm, addition.IsLast ? "sum: whole" : "sum so far", Tone.Gradient, Sheet.Margin + 2 * (MapWidth + MapGap), y));
        }
        else
        {
            Sheet.Text(Sheet.Margin + MapWidth + MapGap, y + 12, string.Create(CultureInfo.InvariantCulture, $"one of {addition.Of} parts; only their sum was recorded"), Face.Note);
        }

        return below;
    }

    private double Output(TapeRow row, double x, double y)
    {
        var node = row.Node;
        Sheet.Spans(x, y + 12, Width - Sheet.Margin - x, (row.Shorten(node.Label), Face.Code with { Bold = true }), ($"  {node.Shape}", Face.Note));
        var below = Map(node, node.Value, node.ValueNorm, "value", Tone.Value, x, y + 20);
        return node.GradNorm is { } norm ? Map(node, node.Grad, norm, "G = ∂L/∂" + row.Shorten(node.Label), Tone.Gradient, x, below + 6) : below;
    }

    /// <summary>A small heatmap with its caption and norm below it; a number alone where there is one.</summary>
    private double Map(NodeFrame node, Tensor? tensor, double norm, string caption, Tone tone, double x, double y)
    {
        var room = MapWidth + MapGap - 6;
        if (tensor is { Length: 1 })
        {
            Sheet.Text(x, y + 16, Numbers.Short(tensor.Values[0]), Face.Title.In(tone) with { Mono = true }, fit: room, title: Numbers.Exact(tensor.Values[0]));
            Sheet.Text(x, y + 32, caption, Face.Note.In(tone), fit: room);
            return y + 40;
        }

        var bottom = y;
        if (tensor is not null)
        {
            var cells = PlayerCells.Of(played.Rows[node.Index], played.Tape.Nodes.Length).Of(tensor);
            var size = Math.Min(Math.Min(MapWidth / cells.Columns, MapHeight / cells.Rows), 9);
            var ramp = tone == Tone.Gradient ? Ramp.Signed(cells.Largest) : Ramp.ForValues(cells);
            Heatmap.Draw(Sheet, cells, ramp with { Grain = 4 }, x + 0.5, y + 0.5, size * cells.Columns, Math.Max(size * cells.Rows, cells.Rows == 1 ? 8 : 0), title: $"{node.Label}: {caption}, ±{Numbers.Short(cells.Largest)}");
            bottom = y + Math.Max(size * cells.Rows, 8) + 2;
        }

        Sheet.Text(x, bottom + 12, caption, Face.Note.In(tone), fit: room);
        Sheet.Text(x, bottom + 26, "‖·‖ " + Numbers.Short(norm), Face.Number.In(tone), fit: room, title: Numbers.Exact(norm));
        return bottom + 34;
    }
}
