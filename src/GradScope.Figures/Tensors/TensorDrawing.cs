using System.Globalization;

namespace GradScope.Figures;

/// <summary>Lays a tensor out: its matrices as maps, below them histogram and statistics; then the same for its gradient.</summary>
internal sealed class TensorDrawing
{
    private const double LargestMap = 300, LargestCell = 18, SmallestCell = 3, Gap = 14, Width = 420, HistogramWidth = 190, HistogramHeight = 56;
    private const int MostMaps = 12, MostTitled = 400, Bins = 38;

    private readonly Tensor value;
    private readonly Tensor? grad;
    private readonly string title;
    private readonly FigureOptions options;
    private readonly List<string> notes = [];
    private readonly DrawnMaps<int> maps = new();
    private double right = Width;

    public TensorDrawing(Tensor value, Tensor? grad, string title, FigureOptions options)
    {
        (this.value, this.grad, this.title, this.options) = (value, grad, title, options);
        Sheet = new(options.Theme);
    }

    public Sheet Sheet { get; }

    /// <summary>The numbers for a script to read; null for a single number, which is written out.</summary>
    public Payload? Payload => maps.Payload;

    public (double Width, double Height) Draw()
    {
        Sheet.Header(Width, title, value.Length == 1 ? $"{value.Shape}" : $"{value.Shape} · {Numbers.Count(value.Length)} numbers");
        var y = Section(value, "value", Tone.Value, isGradient: false, Sheet.Top);
        if (grad is not null) y = Section(grad, "gradient ∂L/∂" + title, Tone.Gradient, isGradient: true, y + 14);
        return (right, Sheet.Notes(Sheet.Margin, y + 6, Width - 2 * Sheet.Margin, [.. notes.Distinct()]) + Sheet.Margin - 4);
    }

    /// <summary>The leading indices of a row: 0, 3 for the matrix 0's row 3.</summary>
    public static string IndexOf(Shape shape, int row)
    {
        var index = new List<int>();
        for (var axis = shape.Rank - 2; axis >= 0; axis--)
        {
            index.Insert(0, row % shape[axis]);
            row /= shape[axis];
        }

        return index.Count == 0 ? "0" : string.Join(", ", index.Select(i => i.ToString(CultureInfo.InvariantCulture)));
    }

    private double Section(Tensor tensor, string name, Tone tone, bool isGradient, double y)
    {
        Sheet.Text(Sheet.Margin, y + 12, name, Face.Heading.In(tone), fit: Width - 2 * Sheet.Margin);
        y += 22;
        if (tensor.Length == 1)
        {
            var number = tensor.Values[0];
            Sheet.Text(Sheet.Margin, y + 16, Numbers.Short(number), Face.Title.In(float.IsFinite(number) ? tone : Tone.Loss) with { Mono = true }, title: Numbers.Exact(number));
            return y + 26;
        }

        var all = Cells.Of(tensor);
        var ramp = isGradient ? Ramp.Signed(all.Largest) : Ramp.ForValues(all);
        y = Maps(tensor, ramp, y);
        var signed = isGradient || all.AnyNegative;
        if (signed) notes.Add("Orange is above 0, teal below; a dash marks numbers below 0 where the cells are large enough.");
        Histogram(tensor, tone, Sheet.Margin, y + 8);
        Facts(tensor, signed, ramp, Sheet.Margin + HistogramWidth + 24, y + 8);
        return y + 8 + 96;
    }

    private double Maps(Tensor tensor, Ramp ramp, double y)
    {
        var shape = tensor.Shape;
        var (rows, columns) = shape.Rank < 2 ? (1, shape.Columns) : (shape[^2], shape[^1]);
        var count = shape.Rows / rows;
        var drawn = Math.Min(count, MostMaps);
        var room = count == 1 ? Width - 2 * Sheet.Margin : 120;
        var thin = Slice(0).Thin(options.MaxCells, options.MaxCells);
        var cell = Math.Clamp(Math.Min(room / thin.Columns, LargestMap / thin.Rows), SmallestCell, LargestCell);
        var (width, height) = (thin.Columns * cell, Math.Max(thin.Rows * cell, rows == 1 ? 18 : 0));
        var across = Math.Max(1, (int)((Math.Max(Width, right) - 2 * Sheet.Margin + Gap) / (width + Gap)));
        right = Math.Max(right, Math.Ceiling(2 * Sheet.Margin + width));
        if (thin.ThinningNote(rows, columns) is { } note) notes.Add(note + ".");
        if (drawn < count) notes.Add($"The first {drawn} of {Numbers.Count(count)} matrices are drawn; statistics and histogram are of all.");

        for (var i = 0; i < drawn; i++)
        {
            var (x, top) = (Sheet.Margin + i % across * (width + Gap), y + i / across * (height + Gap + (count > 1 ? 14 : 0)));
            if (count > 1)
            {
                Sheet.Text(x, top + 11, $"[{IndexOf(shape, i * rows)[..^3]}]", Face.Note, fit: width);
                top += 16;
            }

            var all = Slice(i);
            var first = i * rows;
            Heatmap.Draw(Sheet, Thin(all), ramp, x, top, width, height, tensor.Length <= MostTitled ? Tell : null, map: MapOf(i));

            string Tell(int r, int c) => $"[{(shape.Rank < 2 ? "" : IndexOf(shape, first + r) + ", ")}{c}] {Numbers.Exact(all[r, c])}";
        }

        return y + (drawn + across - 1) / across * (height + Gap + (count > 1 ? 16 : 0)) - (count > 1 ? 2 : 0);

        Cells Slice(int i) => Matrix(tensor, i);
    }

    private Cells Thin(Cells cells) => cells.Thin(options.MaxCells, options.MaxCells);

    /// <summary>The number of a matrix in the payload; value and gradient are read together.</summary>
    private int MapOf(int matrix) => maps.Of(matrix, payload =>
    {
        var rows = value.Shape.Rank < 2 ? 1 : value.Shape[^2];
        var before = value.Shape.Rank <= 2 ? null : IndexOf(value.Shape, matrix * rows)[..^1].TrimEnd();
        return payload.AddMap(title, Thin(Matrix(value, matrix)), grad is null ? null : Thin(Matrix(grad, matrix)), before is null ? null : new(before));
    });

    private static Cells Matrix(Tensor tensor, int i)
    {
        var (rows, columns) = tensor.Shape.Rank < 2 ? (1, tensor.Shape.Columns) : (tensor.Shape[^2], tensor.Shape[^1]);
        return Cells.Of(new Tensor([rows, columns], tensor.Values.Slice(i * rows * columns, rows * columns)));
    }

    private void Histogram(Tensor tensor, Tone tone, double x, double y)
    {
        var facts = Statistics.Of(tensor);
        if (!double.IsFinite(facts.Least))
        {
            Sheet.Text(x, y + 12, "no finite number", Face.Note.In(Tone.Loss));
            return;
        }

        var (low, high) = (facts.Least, facts.Greatest);
        if (high == low) (low, high) = (low - Math.Max(0.5, Math.Abs(low) / 2), high + Math.Max(0.5, Math.Abs(high) / 2));
        var counts = new int[Bins];
        foreach (var v in tensor.Values)
        {
            if (float.IsFinite(v)) counts[Math.Min(Bins - 1, (int)((v - low) / (high - low) * Bins))]++;
        }

        var (most, bin) = (counts.Max(), HistogramWidth / Bins);
        for (var i = 0; i < Bins; i++)
        {
            var tall = HistogramHeight * counts[i] / most;
            if (counts[i] > 0) Sheet.Rect(x + i * bin + 0.25, y + HistogramHeight - Math.Max(tall, 1), bin - 0.5, Math.Max(tall, 1), $"{tone.Fill()} {Ribbons.Class}", title: $"{Numbers.Short(low + (high - low) * i / Bins)} to {Numbers.Short(low + (high - low) * (i + 1) / Bins)}: {Numbers.Count(counts[i])}");
        }

        Sheet.Line(x, y + HistogramHeight + 0.5, x + HistogramWidth, y + HistogramHeight + 0.5, Tone.Muted);
        if (low < 0 && high > 0)
        {
            var zero = x - low / (high - low) * HistogramWidth;
            Sheet.Line(zero, y, zero, y + HistogramHeight + 5, Tone.Muted);
        }

        Sheet.Text(x, y + HistogramHeight + 16, Numbers.Short(low), Face.Number.In(Tone.Muted));
        Sheet.Text(x + HistogramWidth, y + HistogramHeight + 16, Numbers.Short(high), Face.Number.In(Tone.Muted), Anchor.End);
        Sheet.Text(x + HistogramWidth / 2, y + HistogramHeight + 16, "how often", Face.Note, Anchor.Middle);
    }

    private void Facts(Tensor tensor, bool signed, Ramp ramp, double x, double y)
    {
        var facts = Statistics.Of(tensor);
        List<(string Name, double Value)> rows = [("least", facts.Least), ("greatest", facts.Greatest), ("mean", facts.Mean), ("std", facts.Deviation), ("‖·‖", facts.Norm)];
        foreach (var (name, number) in rows)
        {
            Sheet.Text(x, y + 10, name, Face.Note);
            Sheet.Text(x + 126, y + 10, Numbers.Short(number), Face.Number, Anchor.End, title: Numbers.Exact(number));
            y += 14;
        }

        if (facts.NotFinite > 0) Sheet.Text(x, y + 10, $"{Numbers.Count(facts.NaNs)} NaN, {Numbers.Count(facts.Infinities)} ∞", Face.Number.In(Tone.Loss));
        else Heatmap.Legend(Sheet, ramp, signed, x, y + 3, 126);
    }
}
