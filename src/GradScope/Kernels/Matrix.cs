namespace GradScope;

/// <summary>
/// A stack of <paramref name="Outer"/> × <paramref name="Inner"/> matrices of <paramref name="Rows"/> × <paramref
/// name="Columns"/> laid over one array by strides (counted in elements), so that a transpose, a head of a packed q, k,
/// v buffer or one matrix repeated over a batch (stride 0) is a matter of numbers, not of copying. Element (i, j) of
/// matrix (o, n) is Array[Offset + o·OuterStride + n·InnerStride + i·RowStride + j·ColumnStride].
/// </summary>
internal readonly record struct Matrix(
    float[] Array, int Offset,
    int Rows, int Columns, int RowStride, int ColumnStride,
    int Outer = 1, int OuterStride = 0, int Inner = 1, int InnerStride = 0)
{
    public Matrix Transposed => this with
    {
        Rows = Columns,
        Columns = Rows,
        RowStride = ColumnStride,
        ColumnStride = RowStride,
    };

    /// <summary>Some of its rows, up to but without the second.</summary>
    public Matrix RowRange(int from, int to) => this with { Offset = Offset + from * RowStride, Rows = to - from };

    /// <summary>Some of its columns, up to but without the second.</summary>
    public Matrix ColumnRange(int from, int to) => this with { Offset = Offset + from * ColumnStride, Columns = to - from };

    /// <summary>The whole layout, for messages: "2 × 4 of (6, 3), strides 192 and 4 of (3, 1), from 0".</summary>
    public override string ToString() =>
        $"{Outer} × {Inner} of ({Rows}, {Columns}), "
        + $"strides {OuterStride} and {InnerStride} of ({RowStride}, {ColumnStride}), from {Offset}";
}

/// <summary>
/// What is known of a causal product, where key j is allowed for query i only if j ≤ i, so that masked blocks are
/// skipped.
/// </summary>
internal enum Triangle
{
    /// <summary>Nothing: every element counts.</summary>
    None,

    /// <summary>
    /// Only c[i, j] with j ≤ i is asked for (scores = q·kᵀ); the rest is masked.
    /// </summary>
    LowerResult,

    /// <summary>a[i, p] is to be read as 0 for p &gt; i, whatever stands there (z = pattern·v).</summary>
    LowerLeft,

    /// <summary>a[i, p] is to be read as 0 for p &lt; i, whatever stands there (∂v = patternᵀ·∂z).</summary>
    UpperLeft,
}
