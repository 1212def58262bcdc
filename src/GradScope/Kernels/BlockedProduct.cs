using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>
/// A matrix product cut into tiles of c, and into blocks of b that fit a core's cache: along the sum (depth) and along the
/// columns. A block of b is packed, panel by panel, where it is transposed or used often enough to pay for that; a is read in
/// place. Which thread computes a tile has no influence on it, so any division of the work gives the same bits.
/// </summary>
internal readonly unsafe struct BlockedProduct<TVector> : IJob where TVector : struct, ITileVector<TVector>
{
    /// <summary>Longest stretch of the sum that a tile runs over at once; a multiple of every tile height.</summary>
    const int MaxDepth = 256;

    /// <summary>Columns in a block of b: with the depth, half a megabyte.</summary>
    const int MaxColumns = 512;

    /// <summary>Floats of b that stay in the first-level cache as they lie, so that packing them would be work for nothing.</summary>
    const int SmallOperand = 4096;

    /// <summary>Rough speed of one core, in multiplications a nanosecond: 3.5 GHz and a vector a cycle.</summary>
    static double Speed => 3.5 * TVector.Width;

    static int PanelWidth => 2 * TVector.Width;

    readonly Matrix a;
    readonly Matrix b;
    readonly Matrix c;
    readonly float* a0;
    readonly float* b0;
    readonly float* c0;
    readonly Tile.Finish finish;
    readonly Triangle triangle;
    readonly bool byColumns;

    public BlockedProduct(in Matrix a, in Matrix b, in Matrix c, float* a0, float* b0, float* c0, Tile.Finish finish, Triangle triangle)
    {
        this.a = a;
        this.b = b;
        this.c = c;
        this.a0 = a0;
        this.b0 = b0;
        this.c0 = c0;
        this.finish = finish;
        this.triangle = triangle;
        byColumns = c.Outer * c.Inner == 1 && c.Columns > c.Rows && triangle == Triangle.None;
    }

    /// <summary>What can be shared out: panels of columns for a single wide matrix, else the rows of tiles of the whole stack.</summary>
    public int UnitCount => byColumns ? Ceiling(c.Columns, PanelWidth) : c.Outer * c.Inner * TileRowCount;

    /// <summary>Estimated nanoseconds on one thread.</summary>
    public long Cost =>
        (long)((double)c.Outer * c.Inner * c.Rows * c.Columns * a.Columns / Speed * (triangle == Triangle.None ? 1 : 0.6));

    int TileRowCount => Ceiling(c.Rows, TVector.TileRows);

    [SkipLocalsInit]
    public void Run(int from, int to)
    {
        var scratch = stackalloc float[Scratch.Length];
        if (byColumns)
        {
            Multiply(a0, b0, c0, 0, c.Rows, from * PanelWidth, Math.Min(to * PanelWidth, c.Columns), scratch);
            return;
        }

        while (from < to)
        {
            var (matrix, first) = Math.DivRem(from, TileRowCount);
            var (outer, inner) = Math.DivRem(matrix, c.Inner);
            var end = Math.Min(to - from + first, TileRowCount);
            Multiply(
                a0 + (nint)outer * a.OuterStride + (nint)inner * a.InnerStride,
                b0 + (nint)outer * b.OuterStride + (nint)inner * b.InnerStride,
                c0 + (nint)outer * c.OuterStride + (nint)inner * c.InnerStride,
                first * TVector.TileRows, Math.Min(end * TVector.TileRows, c.Rows), 0, c.Columns, scratch);
            from += end - first;
        }
    }

    /// <summary>Rows [rowFrom, rowTo) and columns [columnFrom, columnTo) of one matrix of the stack, block by block.</summary>
    void Multiply(float* a, float* b, float* c, int rowFrom, int rowTo, int columnFrom, int columnTo, float* scratch)
    {
        var depth = this.a.Columns;
        var p = 0;
        do
        {
            var blockDepth = Math.Min(MaxDepth, depth - p);
            for (var j = columnFrom; j < columnTo; j += MaxColumns)
            {
                var columns = Math.Min(MaxColumns, columnTo - j);
                var block = new Block(this.b, b, p, blockDepth, j, columns, rowTo - rowFrom);
                for (var i = rowFrom; i < rowTo; i += TVector.TileRows)
                {
                    MultiplyRow(a, block, c, i, Math.Min(TVector.TileRows, rowTo - i), scratch);
                }
            }

            p += MaxDepth;
        }
        while (p < depth);
    }

    /// <summary>A row of tiles times one block of b.</summary>
    void MultiplyRow(float* a, in Block block, float* c, int i, int rows, float* scratch)
    {
        var first = block.DepthFrom == 0;
        var from = block.DepthFrom;
        var to = from + block.Depth;
        var columnTo = block.ColumnFrom + block.Columns;
        switch (triangle)
        {
            case Triangle.LowerResult:
                // Whole vectors: what they hold above the diagonal is the caller's to overwrite.
                columnTo = Math.Min(columnTo, Ceiling(i + rows, TVector.Width) * TVector.Width);
                break;
            case Triangle.LowerLeft or Triangle.UpperLeft:
                // Left of the diagonal square or right of it all of a counts; of the square itself a triangle does.
                var squareFrom = Math.Clamp(i, from, to);
                var squareTo = Math.Clamp(i + rows, from, to);
                if (squareFrom < squareTo)
                {
                    CopyTriangle(a, i, rows, squareFrom, squareTo, scratch + Scratch.Square);
                    Sweep(
                        scratch + Scratch.Square, TVector.TileRows, 1, rows, squareFrom, squareTo,
                        block, columnTo, c, i, first, scratch);
                    first = false;
                }

                if (triangle == Triangle.LowerLeft) to = squareFrom;
                else from = squareTo;
                if (from == to && !first) return;
                break;
        }

        Sweep(
            a + (nint)i * this.a.RowStride + (nint)from * this.a.ColumnStride, this.a.RowStride, this.a.ColumnStride, rows,
            from, to, block, columnTo, c, i, first, scratch);
    }

    /// <summary>Copies the diagonal square of a, rows i and columns from to to, with zeros in its ignored half.</summary>
    void CopyTriangle(float* a, int i, int rows, int from, int to, float* square)
    {
        for (var r = 0; r < rows; r++)
        {
            for (var p = from; p < to; p++)
            {
                var counts = triangle == Triangle.LowerLeft ? p <= i + r : p >= i + r;
                square[r * TVector.TileRows + p - from] =
                    counts ? a[(nint)(i + r) * this.a.RowStride + (nint)p * this.a.ColumnStride] : 0;
            }
        }
    }

    /// <summary>
    /// Tiles of one row of c, from left to right: a's rows, from its column <paramref name="from"/> to <paramref name="to"/>,
    /// times the block's panels. The first sweep over a tile applies bias and accumulation, later ones add to it.
    /// </summary>
    void Sweep(
        float* a, nint rowStride, nint columnStride, int rows, int from, int to,
        in Block block, int columnTo, float* c, int i, bool first, float* scratch)
    {
        c += (nint)i * this.c.RowStride;
        for (var j = block.ColumnFrom; j < columnTo; j += PanelWidth)
        {
            var columns = Math.Min(PanelWidth, columnTo - j);
            var tile = c + (nint)j * this.c.ColumnStride;
            var rules = new Tile.Finish(
                finish.Scale, first && finish.Bias != null ? finish.Bias + j : null, !first || finish.Accumulate);
            var panel = block.Panel(j, from, out var panelStride);
            var narrow = columns <= TVector.Width;
            if (rows == TVector.TileRows && columns == (narrow ? TVector.Width : PanelWidth) && this.c.ColumnStride == 1)
            {
                Compute(narrow, to - from, a, rowStride, columnStride, rows, panel, panelStride, tile, this.c.RowStride, rules);
            }
            else
            {
                Compute(
                    narrow, to - from, a, rowStride, columnStride, rows, panel, panelStride,
                    scratch, PanelWidth, new(finish.Scale, null, false));
                Merge(scratch, tile, rows, columns, rules);
            }
        }
    }

    static void Compute(
        bool narrow, int depth, float* a, nint rowStride, nint columnStride, int rows, float* b, nint bStride,
        float* c, nint cStride, in Tile.Finish rules)
    {
        if (TVector.TileRows == 8 && rows > 4)
        {
            if (narrow) Tile.Eight<TVector>(depth, a, rowStride, columnStride, rows, b, bStride, c, cStride, rules);
            else Tile.Eight<Pair<TVector>>(depth, a, rowStride, columnStride, rows, b, bStride, c, cStride, rules);
        }
        else
        {
            if (narrow) Tile.Four<TVector>(depth, a, rowStride, columnStride, rows, b, bStride, c, cStride, rules);
            else Tile.Four<Pair<TVector>>(depth, a, rowStride, columnStride, rows, b, bStride, c, cStride, rules);
        }
    }

    /// <summary>Brings the part of a tile that lies inside c from the scratch tile to its place.</summary>
    void Merge(float* scratch, float* tile, int rows, int columns, in Tile.Finish rules)
    {
        for (var r = 0; r < rows; r++, scratch += PanelWidth, tile += c.RowStride)
        {
            for (var j = 0; j < columns; j += TVector.Width)
            {
                var count = Math.Min(TVector.Width, columns - j);
                if (c.ColumnStride == 1)
                {
                    var sum = TVector.Load(scratch + j);
                    if (rules.Bias != null) sum.Add(TVector.LoadFirst(rules.Bias + j, count));
                    if (rules.Accumulate) sum.Add(TVector.LoadFirst(tile + j, count));
                    sum.StoreFirst(tile + j, count);
                    continue;
                }

                for (var k = j; k < j + count; k++)
                {
                    var target = tile + (nint)k * c.ColumnStride;
                    *target = scratch[k] + (rules.Bias == null ? 0 : rules.Bias[k]) + (rules.Accumulate ? *target : 0);
                }
            }
        }
    }

    static int Ceiling(int count, int size) => (count + size - 1) / size;

    /// <summary>Places in the scratch memory on the stack: a tile two vectors wide, then a square of a.</summary>
    static class Scratch
    {
        public static int Square => TVector.TileRows * PanelWidth;

        public static int Length => Square + TVector.TileRows * TVector.TileRows;
    }

    /// <summary>A block of b: read in place as far as its rows allow that and packing would not pay, else packed into panels.</summary>
    readonly ref struct Block
    {
        readonly float* corner;
        readonly nint stride;
        readonly float* packed;
        readonly int inPlace;

        public Block(in Matrix b, float* b0, int depthFrom, int depth, int columnFrom, int columns, int rows)
        {
            DepthFrom = depthFrom;
            Depth = depth;
            ColumnFrom = columnFrom;
            Columns = columns;
            corner = b0 + (nint)depthFrom * b.RowStride + (nint)columnFrom * b.ColumnStride;
            stride = b.RowStride;
            if (b.ColumnStride != 1 || (rows > 2 * TVector.TileRows && (long)depth * b.RowStride > SmallOperand)) inPlace = 0;
            else if (columns % TVector.Width == 0) inPlace = columns;
            else inPlace = columns / PanelWidth * PanelWidth;
            if (inPlace == columns) return;

            packed = Packing.Buffer(depth * Ceiling(columns - inPlace, TVector.Width) * TVector.Width);
            Packing.Pack<TVector>(
                corner + (nint)inPlace * b.ColumnStride, b.RowStride, b.ColumnStride, depth, columns - inPlace, packed);
        }

        public int DepthFrom { get; }

        public int Depth { get; }

        public int ColumnFrom { get; }

        public int Columns { get; }

        /// <summary>Where the panel of column j starts at depth p, and the step to its next row.</summary>
        public float* Panel(int j, int p, out nint panelStride)
        {
            var offset = j - ColumnFrom;
            if (offset < inPlace)
            {
                panelStride = stride;
                return corner + (nint)(p - DepthFrom) * stride + offset;
            }

            panelStride = Columns - offset <= TVector.Width ? TVector.Width : PanelWidth;
            return packed + (nint)(offset - inPlace) * Depth + (p - DepthFrom) * panelStride;
        }
    }
}
