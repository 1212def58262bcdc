namespace GradScope.Figures;

/// <summary>A rectangle of numbers to draw as a heatmap; a forbidden cell has no number, it is not zero.</summary>
internal sealed class Cells
{
    private readonly float[] values;
    private readonly bool[]? forbidden;

    private Cells(int rows, int columns, float[] values, bool[]? forbidden)
    {
        (Rows, Columns, DataRows, DataColumns) = (rows, columns, rows, columns);
        (this.values, this.forbidden) = (values, forbidden);
        (Largest, NotFinite, AnyNegative) = Measure(values);
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>How many rows of the data a drawn row stands for.</summary>
    public int RowBlock { get; private init; } = 1;

    /// <summary>How many columns of the data a drawn column stands for.</summary>
    public int ColumnBlock { get; private init; } = 1;

    /// <summary>How many rows the data has.</summary>
    public int DataRows { get; private init; }

    /// <summary>How many columns the data has.</summary>
    public int DataColumns { get; private init; }

    /// <summary>The largest magnitude among the finite numbers.</summary>
    public double Largest { get; }

    public bool AnyNegative { get; }

    /// <summary>How many cells hold NaN or infinity.</summary>
    public int NotFinite { get; }

    /// <summary>All cells, row by row; a forbidden cell's number means nothing.</summary>
    public ReadOnlySpan<float> Values => values;

    public bool IsThinned => RowBlock > 1 || ColumnBlock > 1;

    public float this[int row, int column] => values[row * Columns + column];

    /// <summary>The largest magnitude among the finite numbers, how many are not finite, and whether any is below 0.</summary>
    public static (double Largest, int NotFinite, bool AnyNegative) Measure(ReadOnlySpan<float> values)
    {
        var (largest, notFinite, anyNegative) = (0f, 0, false);
        foreach (var value in values)
        {
            var magnitude = Math.Abs(value);
            if (!float.IsFinite(value)) notFinite++;
            else if (magnitude > largest) largest = magnitude;
            anyNegative |= value < 0;
        }

        return (largest, notFinite, anyNegative);
    }

    /// <summary>The rows of a tensor; a vector is one row, leading dimensions follow each other downwards.</summary>
    public static Cells Of(Tensor tensor) => new(tensor.Shape.Rows, tensor.Shape.Columns, tensor.Values.ToArray(), null);

    /// <summary>A tensor's matrices beside each other, at the most so many of them: of (head, query, key) the heads from left to right; under a causal mask keys after their queries are forbidden.</summary>
    public static Cells SideBySide(Tensor tensor, int most, bool causal = false) => tensor.Shape.Rank < 3 && !causal
        ? Of(tensor)
        : SideBySide(tensor, 0, Math.Min(most, tensor.Shape.Rows / tensor.Shape[^2]), causal);

    /// <summary>One head's map of queries × keys out of (head, query, key); under a causal mask a key after its query is forbidden.</summary>
    public static Cells OfAttention(Tensor maps, int head, bool causal) => SideBySide(maps, head, 1, causal);

    private static Cells SideBySide(Tensor tensor, int first, int count, bool causal)
    {
        var (rows, columns) = (tensor.Shape[^2], tensor.Shape[^1]);
        var values = new float[rows * columns * count];
        var forbidden = causal ? new bool[values.Length] : null;
        for (var matrix = 0; matrix < count; matrix++)
        {
            for (var row = 0; row < rows; row++)
            {
                var allowed = causal ? Math.Min(row + 1, columns) : columns;
                var target = (row * count + matrix) * columns;
                tensor.Values.Slice(((first + matrix) * rows + row) * columns, allowed).CopyTo(values.AsSpan(target));
                forbidden?.AsSpan(target + allowed, columns - allowed).Fill(true);
            }
        }

        return new(rows, columns * count, values, forbidden);
    }

    public bool IsForbidden(int row, int column) => IsForbidden(row * Columns + column);

    public bool IsForbidden(int cell) => forbidden?[cell] ?? false;

    /// <summary>The same cells with other numbers.</summary>
    public Cells Select(Func<float, float> map) => new(Rows, Columns, [.. values.Select(map)], forbidden) { RowBlock = RowBlock, ColumnBlock = ColumnBlock, DataRows = DataRows, DataColumns = DataColumns };

    /// <summary>At most so many rows and columns: each drawn cell shows the number of largest magnitude of its block, and NaN wins over all.</summary>
    public Cells Thin(int maxRows, int maxColumns) => ThinBy((Rows + maxRows - 1) / maxRows, (Columns + maxColumns - 1) / maxColumns);

    /// <summary>The same for matrices beside each other, none of whose cells mixes two of them: their width is divided evenly, or else into one cell each.</summary>
    public Cells ThinTogether(int maxRows, int maxColumns, int matrices)
    {
        var width = Columns / matrices;
        var across = (Columns + maxColumns - 1) / maxColumns;
        while (matrices > 1 && width % across != 0) across++;
        return ThinBy((Rows + maxRows - 1) / maxRows, across);
    }

    private Cells ThinBy(int down, int across)
    {
        if (down <= 1 && across <= 1) return this;

        var (rows, columns) = ((Rows + down - 1) / down, (Columns + across - 1) / across);
        var thin = new float[rows * columns];
        var closed = forbidden is null ? null : new bool[rows * columns];
        if (closed is not null) Array.Fill(closed, true);
        for (var row = 0; row < Rows; row++)
        {
            for (var column = 0; column < Columns; column++)
            {
                var (from, to) = (row * Columns + column, row / down * columns + column / across);
                if (forbidden?[from] ?? false) continue;
                if (closed is not null) closed[to] = false;
                if (float.IsNaN(values[from]) || Math.Abs(values[from]) > Math.Abs(thin[to])) thin[to] = values[from];
            }
        }

        return new(rows, columns, thin, closed) { RowBlock = down, ColumnBlock = across, DataRows = Rows, DataColumns = Columns };
    }

    /// <summary>What thinning did, in words; null where all cells are drawn.</summary>
    public string? ThinningNote(int rows, int columns) => IsThinned
        ? $"{rows} × {columns} numbers drawn as {Rows} × {Columns} cells: each shows the number of largest magnitude of its {RowBlock} × {ColumnBlock} block"
        : null;
}
