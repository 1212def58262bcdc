using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>
/// A matrix product cut into tiles of c, and into blocks of b that fit a core's cache: along the sum (depth) and along
/// the columns. A block of b is packed, panel by panel, where it is transposed or used often enough to pay for that, and
/// of a few rows at a time, where they lie as columns. Which thread computes a tile has no influence on it, so any division
/// of the work gives the same bits.
/// </summary>
internal readonly unsafe struct BlockedProduct<TVector> : IJob where TVector : struct, ILanes<TVector>
{
    /// <summary>Longest stretch of the sum that a tile runs over at once; a multiple of every tile height.</summary>
    private const int MaxDepth = 256;

    /// <summary>Columns in a block of b: with the depth, half a megabyte.</summary>
    private const int MaxColumns = 512;

    /// <summary>Rows of a that are packed together, so that a cache line of them is fetched once; a multiple of every tile height.</summary>
    private const int PackedRows = 8;

    /// <summary>
    /// Floats of b that stay in the first-level cache as they lie, so that packing them would be work for nothing.
    /// </summary>
    private const int SmallOperand = 4096;

    /// <summary>Rough speed of one core, in multiplications a nanosecond: a vector a cycle at 3 GHz.</summary>
    private static int Speed => 3 * TVector.Width;

    private static int PanelWidth => 2 * TVector.Width;

    private readonly Operand a;
    private readonly Operand b;
    private readonly Operand c;
    private readonly int rows;
    private readonly int columns;
    private readonly int depth;
    private readonly int outer;
    private readonly int inner;
    private readonly Tile.Finish finish;
    private readonly Triangle triangle;
    private readonly bool byColumns;
    private readonly bool packsRows;
    private readonly int tiledColumns;

    /// <summary>The product over matrices whose shapes fit and whose arrays stay pinned while it runs.</summary>
    public BlockedProduct(
        in Matrix a, in Matrix b, in Matrix c, float* aArray, float* bArray, float* cArray,
        Tile.Finish finish, Triangle triangle)
    {
        this.a = new(a, aArray);
        this.b = new(b, bArray);
        this.c = new(c, cArray);
        this.finish = finish;
        this.triangle = triangle;
        (rows, columns, depth, outer, inner) = (c.Rows, c.Columns, a.Columns, c.Outer, c.Inner);
        // Of a tile that holds a few columns alone most lanes would be empty.
        var last = columns % TVector.Width;
        tiledColumns = last <= TVector.Width / 4 && triangle == Triangle.None && (a.ColumnStride == 1 || a.RowStride == 1) ? columns - last : columns;
        // By columns each thread packs its own part of b, by rows all of it; but halves must not be lopsided.
        var panels = Ceiling(columns, PanelWidth);
        byColumns = outer * inner == 1 && triangle == Triangle.None && columns > rows
            && (panels % 2 == 0 || panels > TileRowCount);
        // Where a lies transposed (∂W = xᵀ·∂y), each step of a tile reads another cache line, and the first-level cache holds few of
        // those that are a power of two apart: each panel would fetch them again. Tiles of 8 rows take half of a line and need it less.
        packsRows = TVector.TileRows == 4 && a.RowStride == 1 && triangle == Triangle.None
            && columns > PanelWidth && Math.Min(depth, MaxDepth) * a.ColumnStride > SmallOperand;
    }

    /// <summary>
    /// What can be shared out: panels of columns for a single wide matrix, else the rows of tiles of the whole stack.
    /// </summary>
    public int UnitCount => byColumns ? Ceiling(columns, PanelWidth) : outer * inner * TileRowCount;

    /// <summary>Estimated nanoseconds on one thread.</summary>
    public long Cost => (long)outer * inner * rows * columns * depth / (triangle == Triangle.None ? Speed : Speed / 2);

    private int TileRowCount => Ceiling(rows, TVector.TileRows);

    [SkipLocalsInit]
    public void Run(int from, int to)
    {
        var scratch = stackalloc float[TVector.TileRows * PanelWidth + PackedRows * MaxDepth];
        if (byColumns)
        {
            Multiply(0, 0, 0, rows, from * PanelWidth, Math.Min(to * PanelWidth, columns), scratch);
            return;
        }

        while (from < to)
        {
            var (matrix, first) = Math.DivRem(from, TileRowCount);
            var (o, n) = Math.DivRem(matrix, inner);
            var last = Math.Min(first + to - from, TileRowCount);
            Multiply(o, n, first * TVector.TileRows, Math.Min(last * TVector.TileRows, rows), 0, columns, scratch);
            from += last - first;
        }
    }

    /// <summary>Rows and columns, up to but without the second of each pair, of matrix (o, n) of the stack.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void Multiply(int o, int n, int rowFrom, int rowTo, int columnFrom, int columnTo, float* scratch)
    {
        var a0 = a.Start(o, n);
        var b0 = b.Start(o, n);
        var c0 = c.Start(o, n);
        var packed = scratch + TVector.TileRows * PanelWidth;
        for (var j = Math.Max(columnFrom, tiledColumns); j < columnTo; j++)
        {
            MultiplyColumn(a0 + rowFrom * a.RowStride, b0 + j * b.ColumnStride, c0 + rowFrom * c.RowStride + j * c.ColumnStride, rowTo - rowFrom, j);
        }

        columnTo = Math.Min(columnTo, tiledColumns);
        var p = 0;
        do
        {
            for (var j = columnFrom; j < columnTo; j += MaxColumns)
            {
                var block = new Block(
                    b, b0, p, Math.Min(MaxDepth, depth - p), j, Math.Min(MaxColumns, columnTo - j), rowTo - rowFrom);
                for (var i = rowFrom; i < rowTo; i += TVector.TileRows)
                {
                    var count = Math.Min(TVector.TileRows, rowTo - i);
                    var rows = new RowsOfA(a0 + i * a.RowStride, a.RowStride, a.ColumnStride);
                    if (packsRows && count == TVector.TileRows)
                    {
                        var start = (i - rowFrom) % PackedRows;
                        if (start == 0) Packing.PackRows<TVector>(a0 + i + p * a.ColumnStride, a.ColumnStride, Math.Min(PackedRows, rowTo - i), block.Depth, packed);
                        rows = new(packed + start * block.Depth - p * TVector.TileRows, 1, TVector.TileRows);
                    }

                    MultiplyRow(rows, block, c0 + i * c.RowStride, i, count, scratch);
                }
            }

            p += MaxDepth;
        }
        while (p < depth);
    }

    /// <summary>Some rows of c's column j alone: along the rows of a where these lie without gaps, else down its columns.</summary>
    private void MultiplyColumn(float* a, float* b, float* c, int rows, int j)
    {
        var column = Scratch.Packed(depth + TVector.Width);
        for (var p = 0; p < depth; p++) column[p] = b[p * this.b.RowStride];
        var sums = column + depth;
        var alongRows = this.a.ColumnStride == 1;
        var step = alongRows ? 1 : TVector.Width;
        for (var i = 0; i < rows; i += step, a += step * this.a.RowStride)
        {
            var count = Math.Min(step, rows - i);
            TVector sum = default;
            if (alongRows)
            {
                for (var p = 0; p < depth; p += TVector.Width)
                {
                    var n = Math.Min(TVector.Width, depth - p);
                    sum = TVector.MultiplyAdd(TVector.LoadFirst(a + p, n), TVector.LoadFirst(column + p, n), sum);
                }

                *sums = sum.Sum();
            }
            else
            {
                for (var p = 0; p < depth; p++) sum.AddProduct(column + p, TVector.LoadFirst(a + p * this.a.ColumnStride, count));
                sum.Store(sums);
            }

            for (var r = 0; r < count; r++, c += this.c.RowStride)
            {
                *c = finish.Scale * sums[r] + (finish.Bias == null ? 0 : finish.Bias[j]) + (finish.Accumulate ? *c : 0);
            }
        }
    }

    /// <summary>A row of tiles, from c's row i on, times one block of b.</summary>
    private void MultiplyRow(in RowsOfA a, in Block block, float* c, int i, int count, float* scratch)
    {
        var from = block.DepthFrom;
        var to = from + block.Depth;
        var columnTo = block.ColumnFrom + block.Columns;
        var first = from == 0;
        Stretch stretch;
        if (triangle is Triangle.None or Triangle.LowerResult)
        {
            stretch = new(a, from, to - from, false, default);
            // Whole vectors: what they hold above the diagonal is the caller's to overwrite.
            if (triangle == Triangle.LowerResult) columnTo = Math.Min(columnTo, Ceiling(i + count, TVector.Width) * TVector.Width);
        }
        else
        {
            // All of a on one side of the square on the diagonal, then the square, in which p comes or goes away from that side.
            var squareFrom = Math.Clamp(i, from, to);
            var squareTo = Math.Clamp(i + count, from, to);
            var square = squareTo - squareFrom;
            stretch = triangle == Triangle.LowerLeft
                ? new(a, from, squareFrom - from, false, Tile.Diagonal.Down(square))
                : new(a, to - 1, to - squareTo, true, Tile.Diagonal.Up(square));
            if (stretch.Depth + square == 0 && !first) return;
        }

        Sweep(stretch, block, columnTo, c, count, first, scratch);
    }

    /// <summary>
    /// Tiles of one row of c, from left to right: <paramref name="count"/> rows of a times the block's panels, along the stretch. The
    /// first sweep over a tile applies bias and accumulation, later ones add to it.
    /// </summary>
    private void Sweep(in Stretch stretch, in Block block, int columnTo, float* c, int count, bool first, float* scratch)
    {
        for (var j = block.ColumnFrom; j < columnTo; j += PanelWidth)
        {
            var width = Math.Min(PanelWidth, columnTo - j);
            var narrow = width <= TVector.Width;
            var panel = block.Panel(j, stretch.From, out var panelStride);
            if (stretch.Backwards) panelStride = -panelStride;
            var tile = c + j * this.c.ColumnStride;
            var rules = new Tile.Finish(
                finish.Scale, first && finish.Bias != null ? finish.Bias + j : null, !first || finish.Accumulate);
            if (count == TVector.TileRows && width == (narrow ? TVector.Width : PanelWidth) && this.c.ColumnStride == 1)
            {
                Compute(narrow, stretch, count, panel, panelStride, tile, this.c.RowStride, rules);
            }
            else
            {
                Compute(narrow, stretch, count, panel, panelStride, scratch, PanelWidth, new(finish.Scale, null, false));
                Merge(scratch, tile, count, width, rules);
            }
        }
    }

    private void Compute(
        bool narrow, in Stretch s, int rows, float* b, nint bStride, float* c, nint cStride, in Tile.Finish rules)
    {
        if (TVector.TileRows == 8 && rows > 4)
        {
            if (narrow) Tile.Eight<TVector>(s.Depth, s.Start, s.RowStride, s.ColumnStride, rows, b, bStride, c, cStride, s.Diagonal, rules);
            else Tile.Eight<Pair<TVector>>(s.Depth, s.Start, s.RowStride, s.ColumnStride, rows, b, bStride, c, cStride, s.Diagonal, rules);
        }
        else
        {
            if (narrow) Tile.Four<TVector>(s.Depth, s.Start, s.RowStride, s.ColumnStride, rows, b, bStride, c, cStride, s.Diagonal, rules);
            else Tile.Four<Pair<TVector>>(s.Depth, s.Start, s.RowStride, s.ColumnStride, rows, b, bStride, c, cStride, s.Diagonal, rules);
        }
    }

    /// <summary>Brings the part of a tile that lies inside c from the scratch tile to its place.</summary>
    private void Merge(float* scratch, float* tile, int rows, int columns, in Tile.Finish rules)
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
                    var target = tile + k * c.ColumnStride;
                    *target = scratch[k] + (rules.Bias == null ? 0 : rules.Bias[k]) + (rules.Accumulate ? *target : 0);
                }
            }
        }
    }

    private static int Ceiling(int count, int size) => (count + size - 1) / size;

    /// <summary>Where a tile finds the rows of a that it multiplies: in place, or packed.</summary>
    private readonly struct RowsOfA(float* start, nint rowStride, nint columnStride)
    {
        public float* Start { get; } = start;

        public nint RowStride { get; } = rowStride;

        public nint ColumnStride { get; } = columnStride;
    }

    /// <summary>A part of the sum: where in a it starts, how p goes on from From, and for how many steps.</summary>
    private readonly struct Stretch(in RowsOfA a, int from, int depth, bool backwards, Tile.Diagonal diagonal)
    {
        public float* Start { get; } = a.Start + from * a.ColumnStride;

        public nint RowStride { get; } = a.RowStride;

        public nint ColumnStride { get; } = backwards ? -a.ColumnStride : a.ColumnStride;

        public int From { get; } = from;

        /// <summary>Steps before those of the diagonal.</summary>
        public int Depth { get; } = depth;

        public bool Backwards { get; } = backwards;

        public Tile.Diagonal Diagonal { get; } = diagonal;
    }

    /// <summary>Where an operand's elements are.</summary>
    private readonly struct Operand(in Matrix matrix, float* array)
    {
        private readonly float* start = array + matrix.Offset;
        private readonly nint outerStride = matrix.OuterStride;
        private readonly nint innerStride = matrix.InnerStride;

        public nint RowStride { get; } = matrix.RowStride;

        public nint ColumnStride { get; } = matrix.ColumnStride;

        public float* Start(int o, int n) => start + o * outerStride + n * innerStride;
    }

    /// <summary>
    /// A block of b: read in place as far as its rows allow that and packing would not pay, else packed into panels.
    /// </summary>
    private readonly ref struct Block
    {
        private readonly float* corner;
        private readonly nint stride;
        private readonly float* packed;
        private readonly int inPlace;

        public Block(in Operand b, float* b0, int depthFrom, int depth, int columnFrom, int columns, int rows)
        {
            DepthFrom = depthFrom;
            Depth = depth;
            ColumnFrom = columnFrom;
            Columns = columns;
            corner = b0 + depthFrom * b.RowStride + columnFrom * b.ColumnStride;
            stride = b.RowStride;
            if (b.ColumnStride != 1 || (rows > 2 * TVector.TileRows && depth * b.RowStride > SmallOperand)) inPlace = 0;
            else if (columns % TVector.Width == 0) inPlace = columns;
            else inPlace = columns / PanelWidth * PanelWidth;
            if (inPlace == columns) return;

            packed = Scratch.Packed(depth * Ceiling(columns - inPlace, TVector.Width) * TVector.Width);
            Packing.Pack<TVector>(
                corner + inPlace * b.ColumnStride, b.RowStride, b.ColumnStride, depth, columns - inPlace, packed);
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
                return corner + (p - DepthFrom) * stride + offset;
            }

            panelStride = Columns - offset <= TVector.Width ? TVector.Width : PanelWidth;
            return packed + (nint)(offset - inPlace) * Depth + (p - DepthFrom) * panelStride;
        }
    }
}
