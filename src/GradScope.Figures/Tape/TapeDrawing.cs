using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace GradScope.Figures;

/// <summary>
/// Lays a tape out as rows: forward runs down on the left in blue, backward up on the right of the gradients in orange. Where it is
/// narrow a row's maps and rules stand below its formula.
/// </summary>
internal sealed class TapeDrawing
{
    private const double LowRow = 24, HighRow = 42, RuleRow = 13, HeadingRow = 30, MapWidth = 64, MapHeight = 30, NumberWidth = 68;
    private const double Rail = Sheet.Margin + 6, Index = Rail + 32, Label = Index + 12;

    private const int MostMatrices = 4, MostMapsNarrow = 24, MostRowsNarrow = 60;

    private readonly TapeFrame tape;
    private readonly string title;
    private readonly IReadOnlyList<TapeRow> rows;
    private readonly int rowCount;
    private readonly StringBuilder lines = new();
    private readonly List<double> places = [];
    private readonly Thumbnails thumbnails;
    private readonly bool anyTensor, isNarrow;
    private readonly double labelWidth, cellWidth, value, grad, back, rule, ruleWidth, width;

    private TapeDrawing(TapeFrame tape, string title, IReadOnlyList<TapeRow> rows, int rowCount, FigureOptions options, bool isNarrow)
    {
        (this.tape, this.title, this.rows, this.rowCount, this.isNarrow) = (tape, title, rows, rowCount, isNarrow);
        Sheet = isNarrow ? Sheet.ForNarrow(options.Theme) : new(options.Theme);
        thumbnails = new(Sheet);
        anyTensor = rows.Any(r => !IsScalar(r.Node));
        if (isNarrow)
        {
            (width, back, rule) = (Sheet.Narrow, Sheet.Narrow - Sheet.Margin, Label);
            (cellWidth, grad) = (anyTensor ? MapWidth + 4 + NumberWidth : NumberWidth, 0);
            grad = back - 12 - cellWidth;
            value = grad - 4 - cellWidth;
            (labelWidth, ruleWidth) = (back - 16 - Label, back - 16 - Label);
            return;
        }

        labelWidth = Math.Clamp(Widest(LabelWidth), anyTensor ? 140 : 110, 262);
        cellWidth = anyTensor ? MapWidth + 8 + NumberWidth : NumberWidth;
        ruleWidth = tape.BackwardHasRun ? Math.Clamp(Widest(r => RuleLines(r).Select(l => Sheet.WidthOf(l, Face.Number)).DefaultIfEmpty(0).Max()), 90, 340) : Sheet.WidthOf("backward has not run", Face.Note);

        value = Math.Ceiling(Label + labelWidth + 12);
        grad = value + cellWidth + 10;
        back = grad + cellWidth + 16;
        rule = back + 16;
        width = Math.Ceiling(Math.Max(rule + ruleWidth + Sheet.Margin, 400));
    }

    private Sheet Sheet { get; }

    /// <summary>
    /// The drawing for most places; of a tape that is not long another for narrow ones; the thumbnails' numbers for a script to
    /// read, or null where there are none; and of each drawing where its rows lie: node, top and height, one row after the other.
    /// </summary>
    public static (Drawing Wide, Drawing? Narrow, Payload? Payload, IReadOnlyList<IReadOnlyList<double>> Places) Of(TapeFrame tape, string title, IReadOnlyList<TapeRow> rows, int rowCount, FigureOptions options)
    {
        var mapped = rows.Where(r => HasMap(r.Node)).ToList();
        var isShort = mapped.Count <= MostMapsNarrow && rows.Count <= MostRowsNarrow;
        TapeDrawing[] drawings =
        [
            new(tape, title, rows, rowCount, options, isNarrow: false),
            .. isShort ? (TapeDrawing[])[new(tape, title, rows, rowCount, options, isNarrow: true)] : [],
        ];
        var drawn = Array.ConvertAll(drawings, d => d.Draw());
        return (drawn[0], isShort ? drawn[1] : null, mapped.Count > 0 ? PayloadOf(tape, mapped) : null, Array.ConvertAll(drawings, d => d.places));
    }

    private Drawing Draw()
    {
        Sheet.Header(width, title, Lines());
        if (rows.Count == 0) return new(Sheet, width, Sheet.Notes(Sheet.Margin, Sheet.Top, width - 2 * Sheet.Margin, "Nothing was recorded yet.") + Sheet.Margin);

        var top = Sheet.Top + 10;
        Heads(top);
        var y = top + 12;
        var (first, band, loss) = (y, y, LossBelow(y));
        Sheet.BeginColumns();
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows[i].Heading is { } heading)
            {
                if (i > 0)
                {
                    EndBand(band, y, isFirst: band == first, isLast: false, loss);
                    Sheet.BeginColumns();
                    Sheet.Cuts.Add(new(y, Sheet.Body.Length, heading));
                    band = y;
                }

                Sheet.Text(Index - 18, y + 20, heading, Face.Heading);
                y += HeadingRow;
            }

            places.AddRange([rows[i].Node.Index, Math.Round(y), Math.Round(HeightOf(rows[i]))]);
            y = Row(rows[i], y);
            if (IsBeforeGap(i))
            {
                Sheet.Text(Label, y + 15, $"… {Numbers.Count(rowCount - rows.Count)} rows, in the table", Face.Note);
                y += LowRow;
            }
        }

        EndBand(band, y, isFirst: band == first, isLast: true, loss);
        return new(Sheet, width, Sheet.Notes(Sheet.Margin, y + 12, width - 2 * Sheet.Margin, Notes()) + Sheet.Margin - 4);
    }

    private string[] Lines()
    {
        var operations = rows.Count(r => r.Node.Kind == NodeKind.Operation);
        var count = string.Create(CultureInfo.InvariantCulture, $"{tape.Nodes.Length} entries, {tape.Nodes.Count(n => n.Kind == NodeKind.Operation)} operations");
        return operations == 0 && rows.Count == 0 ? [] : [count + (tape.Loss is { } loss ? $" · backward from {tape.Nodes[loss].Label}" : " · backward has not run")];
    }

    private string[] Notes()
    {
        List<string> notes = [];
        if (tape.BackwardHasRun) notes.Add("G is the row's own gradient; ∂x += … is what the row's backward adds to its input x.");
        if (anyTensor) notes.Add("Of tensors the norm stands beside the map. Maps: paper is 0, the full colour the map's largest magnitude (hover a map to read it). A value that is nowhere negative is blue, otherwise orange is above and teal below 0. At most 8 × 16 cells are drawn, each with the number of largest magnitude of its block.");
        if (rows.Count < tape.Nodes.Length && rows.Count == rowCount) notes.Add("Constant numbers stand in the formulas; the table lists every entry.");
        return [.. notes];
    }

    private void Heads(double y)
    {
        Sheet.Text(Label, y, anyTensor && isNarrow ? "name" : "name = formula", Face.Note);
        if (anyTensor && !isNarrow) Sheet.Text(Label + labelWidth, y, "shape", Face.Note, Anchor.End);
        Sheet.Text(value + cellWidth, y, "↓ value", Face.Note.In(Tone.Value), Anchor.End);
        Sheet.Text(grad + cellWidth, y, "↑ gradient", Face.Note.In(Tone.Gradient), Anchor.End);
        if (!isNarrow) Sheet.Text(rule, y, tape.BackwardHasRun ? "backward adds" : "backward has not run", Face.Note.In(tape.BackwardHasRun ? Tone.Gradient : Tone.Muted));
    }

    private double Row(TapeRow row, double y)
    {
        var node = row.Node;
        // Beside each other stand a tensor's name and formula, on two lines, and its maps; where it is narrow the maps come below.
        var middle = y + (IsLow(node) ? LowRow : HighRow) / 2;
        var quantities = isNarrow && !IsLow(node) ? middle + HighRow - 4 : middle;
        lines.Append(Sheet.PathOf($"M{Label} {y}h{width - Sheet.Margin - Label}"));
        Sheet.Text(Index, middle + 4, node.Index.ToString(CultureInfo.InvariantCulture), Face.Number.In(Tone.Muted), Anchor.End);
        Name(row, middle);

        var isLoss = tape.Loss == node.Index;
        Quantity(node.Value, node.ValueNorm, value, quantities, isLoss ? Tone.Loss : Tone.Value, isGradient: false, row);
        if (node.GradNorm is { } norm)
        {
            Quantity(node.Grad, norm, grad, quantities, Tone.Gradient, isGradient: true, row);
            Rules(row, isNarrow ? y + HeightOf(row) - RuleRow * RuleLines(row).Count / 2.0 - 4 : middle);
            if (isLoss) Sheet.Circle(back, quantities, 4, Tone.Gradient.Fill(), "backward starts here, with ∂L/∂L = 1");
        }
        else if (tape.BackwardHasRun)
        {
            Sheet.Text(grad + cellWidth, quantities + 4, node.IsFrozen ? "frozen" : "takes none", Face.Note, Anchor.End);
        }

        return y + HeightOf(row);
    }

    private double HeightOf(TapeRow row)
    {
        var high = IsLow(row.Node) ? LowRow : HighRow;
        if (!isNarrow) return high;

        return high + (IsLow(row.Node) ? 0 : HighRow - 4) + (row.Node.GradNorm is null ? 0 : RuleRow * RuleLines(row).Count);
    }

    /// <summary>A scalar's name and formula on one line; a tensor's name with what it is at the end of its line, and its formula below.</summary>
    private void Name(TapeRow row, double middle)
    {
        var (name, formula) = Texts(row);
        if (IsScalar(row.Node))
        {
            Sheet.Spans(Label, middle + 4, isNarrow ? value + cellWidth - Sheet.WidthOf(Numbers.Short(row.Node.ValueNorm), Face.Number) - 12 - Label : labelWidth, name, formula);
            return;
        }

        var (what, line) = (WhatOf(row.Node), IsLow(row.Node) ? middle + 4 : middle - 3);
        Sheet.Text(Label, line, name.Text, name.Face, fit: labelWidth - 8 - Sheet.WidthOf(what, Face.Note));
        Sheet.Text(Label + labelWidth, line, what, Face.Note, Anchor.End);
        if (!IsLow(row.Node)) Sheet.Text(Label, middle + 12, formula.Text, formula.Face, fit: labelWidth);
    }

    private void Rules(TapeRow row, double middle)
    {
        var lines = RuleLines(row);
        var y = Math.Round(middle + 4 - RuleRow * (lines.Count - 1) / 2);
        foreach (var line in lines)
        {
            Sheet.Text(rule, y, line, row.Node.Kind == NodeKind.Operation ? Face.Number.In(Tone.Gradient) : Face.Note, fit: ruleWidth);
            y += RuleRow;
        }
    }

    private void Quantity(Tensor? tensor, double norm, double x, double middle, Tone tone, bool isGradient, TapeRow row)
    {
        var name = isGradient ? "∂L/∂" + row.Node.Label : row.Node.Label;
        if (tensor is { Length: 1 })
        {
            Sheet.Text(x + cellWidth, middle + 4, Numbers.Short(tensor.Values[0]), Face.Number.In(Alarming(tensor.Values[0], tone)), Anchor.End, title: $"{name} = {Numbers.Exact(tensor.Values[0])}");
            return;
        }

        if (tensor is not null && HasMap(row.Node))
        {
            var cells = CellsOf(tensor, row);
            var size = Math.Min(Math.Min(MapWidth / cells.Columns, MapHeight / cells.Rows), 7);
            var ramp = (isGradient ? Ramp.Signed(cells.Largest) : Ramp.ForValues(cells)) with { Grain = size < Heatmap.Smallest ? 7 : 2 };
            thumbnails.Add(
                cells, ramp, x + MapWidth - size * cells.Columns, middle - size * cells.Rows / 2, size,
                $"±{Numbers.Short(cells.Largest)}{(cells.NotFinite > 0 ? $", {cells.NotFinite} NaN or ∞" : "")}");
        }

        Sheet.Text(x + cellWidth, middle + 4, Numbers.Short(norm), Face.Number.In(Alarming(norm, tone)), Anchor.End);

        static Tone Alarming(double number, Tone tone) => double.IsFinite(number) ? tone : Tone.Loss;
    }

    /// <summary>A node's first 4 matrices beside each other, thinned to a thumbnail.</summary>
    private static Cells CellsOf(Tensor tensor, TapeRow row) => Cells.SideBySide(tensor, MostMatrices, row.IsCausal).ThinTogether(8, 16, MatricesOf(tensor));

    private static bool HasMap(NodeFrame node) => node.Kind != NodeKind.Parameter && node.Value is { Length: > 1 };

    private static int MatricesOf(Tensor tensor) => tensor.Shape.Rank < 3 ? 1 : Math.Min(MostMatrices, tensor.Shape.Rows / tensor.Shape[^2]);

    /// <summary>What a script reads: each tensor's value and gradient, and of each frame in its order which tensor's it is.</summary>
    private static Payload PayloadOf(TapeFrame tape, IReadOnlyList<TapeRow> rows)
    {
        var payload = new Payload("tape");
        string[] tokens = [.. tape.Tokens.Select(TokenText.Show)];
        var frames = new JsonArray();
        foreach (var row in rows)
        {
            var (value, gradient) = (row.Node.Value!, row.Node.Grad);
            var cells = CellsOf(value, row);
            var (down, across) = NodeSides.Of(row, cells, MatricesOf(value), tokens, []);
            var map = payload.AddMap(row.Node.Label, cells, gradient is null ? null : CellsOf(gradient, row), down, across);
            frames.Add(map);
            if (gradient is not null) frames.Add(map);
        }

        payload.Head["frames"] = frames;
        return payload;
    }

    /// <summary>Writes what the rows of a band share: their texts by column, their maps, the lines between them, and the band's part of the two passes, forward down to the end and backward up from the loss.</summary>
    private void EndBand(double top, double bottom, bool isFirst, bool isLast, double loss)
    {
        Sheet.EndColumns();
        thumbnails.Write();
        Sheet.Body.Empty("path", ("d", lines.ToString()), ("class", Tone.Rule.Stroke()));
        lines.Clear();
        Sheet.Line(Rail, top, Rail, bottom, Tone.Value, 2);
        if (isLast) Arrows.Head(Sheet, Rail, bottom + 1, 0, 1, Tone.Value, 5, 2);
        if (!tape.BackwardHasRun || loss < top) return;

        Sheet.Line(back, Math.Min(loss, bottom), back, top, Tone.Gradient, 2);
        if (isFirst) Arrows.Head(Sheet, back, top - 1, 0, -1, Tone.Gradient, 5, 2);
    }

    /// <summary>Whether rows are left out after this one.</summary>
    private bool IsBeforeGap(int row) => rows.Count < rowCount && row == rows.Count / 2 - 1;

    /// <summary>Where the loss's row has its middle, the first row being at y; without a drawn loss the end.</summary>
    private double LossBelow(double y)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            y += rows[i].Heading is null ? 0 : HeadingRow;
            if (rows[i].Node.Index == tape.Loss) return y + LowRow / 2;
            y += HeightOf(rows[i]) + (IsBeforeGap(i) ? LowRow : 0);
        }

        return y;
    }

    private static ((string Text, Face Face) Name, (string Text, Face Face) Formula) Texts(TapeRow row)
    {
        var node = row.Node;
        var tone = node.Kind switch { NodeKind.Parameter => Tone.Parameter, NodeKind.Constant => Tone.Muted, _ => Tone.Ink };
        var name = (row.Shorten(node.Label), Face.Code.In(tone) with { Bold = node.Name is not null });
        if (node.Kind != NodeKind.Operation) return (name, (IsScalar(node) ? $"  {KindOf(node)}" : KindOf(node), Face.Note));

        var formula = row.Shorten(node.Formula);
        return IsScalar(node) ? (name, (" = " + formula, Face.Code.In(Tone.Muted))) : (name, ("= " + formula, Face.Number.In(Tone.Muted)));
    }

    private double LabelWidth(TapeRow row)
    {
        var (name, formula) = Texts(row);
        if (IsScalar(row.Node)) return Sheet.WidthOf(name, formula);

        var first = Sheet.WidthOf(name) + 8 + Sheet.WidthOf(WhatOf(row.Node), Face.Note);
        return IsLow(row.Node) ? first : Math.Max(first, Sheet.WidthOf(formula));
    }

    /// <summary>A tensor's shape, and before it that it is a parameter, which has no line to say so.</summary>
    private static string WhatOf(NodeFrame node) => IsLow(node) ? $"{KindOf(node)} {node.Shape}" : node.Shape.ToString();

    private static string KindOf(NodeFrame node) => node.Kind.ToString().ToLowerInvariant();

    /// <summary>What the node's backward adds to each input that takes a gradient, ∂a += G · b; of a leaf, how many such parts its gradient is.</summary>
    private List<string> RuleLines(TapeRow row)
    {
        var node = row.Node;
        if (node.Kind != NodeKind.Operation)
        {
            var uses = tape.Nodes.Sum(n => n.Inputs.Count(i => i == node.Index));
            return uses > 1 ? [$"the sum of {uses} parts"] : [];
        }

        List<string> parts = [.. node.Inputs.Zip(node.BackwardRule).Where(p => tape.Nodes[p.First].RequiresGrad)
            .Select(p => $"∂{row.Shorten(tape.Nodes[p.First].Label)} += {row.Shorten(p.Second)}")];
        return IsScalar(node) && parts.Count > 0 ? [string.Join("   ", parts)] : parts;
    }

    private static bool IsScalar(NodeFrame node) => node.Shape.Columns == 1 && node.Shape.Rows == 1;

    /// <summary>Whether a row has one line: scalars, and parameters, of which only the norms are shown.</summary>
    private static bool IsLow(NodeFrame node) => IsScalar(node) || node.Kind == NodeKind.Parameter;

    private double Widest(Func<TapeRow, double> of) => rows.Count == 0 ? 0 : rows.Max(of);
}
