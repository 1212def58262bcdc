using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>
/// A matrix product cut into tiles of c, and into blocks that fit a core's caches: along the sum (depth), along the columns of b and
/// along the rows of a. A block of b is packed, panel by panel, where it is transposed or used often enough to pay for that, and a
/// band of a's rows where they lie as columns. A panel of b stays in the first-level cache while the band's tiles go down it. Which
/// thread computes a tile has no influence on it, so any division of the work gives the same bits.
/// </summary>
internal readonly unsafe struct BlockedProduct<TVector> : IJob where TVector : struct, ILanes<TVector>
{
    /// <summary>Columns in a block of b: with the depth, 768 KB, of which a panel at a time is in use.</summary>
    private const int MaxColumns = 512;

    /// <summary>Rows in a band of a: with the depth, 192 KB; a multiple of every tile height.</summary>
    private const int MaxRows = 128;

    private const int PanelsOfPiece = 4;

    private const int MostTileRows = 8;

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
    private readonly float masked;
    private readonly float* packed;
    private readonly bool byColumns;
    private readonly bool packsRows;
    private readonly int tiledColumns;

    /// <summary>
    /// The product over matrices whose shapes fit and whose arrays stay pinned while it runs, b perhaps <paramref name="packed"/> already.
    /// </summary>
    public BlockedProduct(
        in Matrix a, in Matrix b, in Matrix c, float* aArray, float* bArray, float* cArray,
        Tile.Finish finish, Triangle triangle, float masked, float* packed)
    {
        this.packed = packed;
        this.a = new(a, aArray);
        this.b = new(b, bArray);
        this.c = new(c, cArray);
        this.finish = finish;
        this.triangle = triangle;
        this.masked = masked;
        (rows, columns, depth, outer, inner) = (c.Rows, c.Columns, a.Columns, c.Outer, c.Inner);
        tiledColumns = triangle == Triangle.None ? MatrixProduct.TiledColumns(a, columns) : columns;
        // By columns each piece packs its own part of b, by rows all of it, unless it is packed before; but a few panels of odd number cannot be halved.
        var panels = Ceiling(columns, PanelWidth);
        byColumns = packed == null && outer * inner == 1 && triangle == Triangle.None && columns > rows
            && (panels % 2 == 0 || panels > TileRowCount);
        // Where a lies transposed (∂W = xᵀ·∂y), each step of a tile reads another cache line, and the first-level cache holds few of
        // those that are a power of two apart: each panel would fetch them again. Tiles of 8 rows take half of a line and need it less.
        packsRows = TVector.TileRows == 4 && a.RowStride == 1 && triangle == Triangle.None
            && columns > PanelWidth && Math.Min(depth, Packing.MaxDepth) * a.ColumnStride > Packing.SmallOperand;
    }

    /// <summary>
    /// What can be shared out: panels of columns for a single wide matrix, else the rows of tiles of the whole stack.
    /// </summary>
    public int UnitCount => byColumns ? Ceiling(columns, PanelWidth) : outer * inner * TileRowCount;

    /// <summary>Units that are done together: those of a matrix of a stack.</summary>
    public int Grain => outer * inner > 1 ? TileRowCount : 1;

    /// <summary>
    /// Units of the smallest piece: panels or rows enough to pay for reading the other operand once more; all, so that there are but two,
    /// where each piece packs b for itself.
    /// </summary>
    public int Least =>
        outer * inner > 1 ? TileRowCount
        : byColumns ? PanelsOfPiece
        : packed == null && Packing.IsWorth(b.RowStride, b.ColumnStride, Math.Min(depth, Packing.MaxDepth), rows) ? UnitCount
        : MatrixProduct.RowsOfPiece / TVector.TileRows;

    /// <summary>Whether units cost the same: the rows of a triangle do not, those of all matrices of a stack do.</summary>
    public bool IsEven => triangle == Triangle.None || outer * inner > 1;

    /// <summary>Estimated nanoseconds on one thread.</summary>
    public long Cost => outer * inner * MatrixProduct.Cost(rows, columns, depth) * (triangle == Triangle.None ? 1 : 2);

    private int TileRowCount => Ceiling(rows, TVector.TileRows);

    [SkipLocalsInit]
    public void Run(int from, int to)
    {
        TakeRoom();
        var scratch = stackalloc float[MostTileRows * PanelWidth];
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
            // A band at a time, so that its part of c stays in the second-level cache from one stretch of the sum to the next.
            if (packed != null) last = Math.Min(last, first + MaxRows / TVector.TileRows);
            Multiply(o, n, first * TVector.TileRows, Math.Min(last * TVector.TileRows, rows), 0, columns, scratch);
            from += last - first;
        }
    }

    /// <summary>
    /// Takes the memory that the largest piece of the product needs, so that a thread that one day computes more of it than before allocates
    /// nothing.
    /// </summary>
    private void TakeRoom()
    {
        var blockDepth = Math.Min(depth, Packing.MaxDepth);
        if (packsRows) Scratch.PackedRows(RoomForRows(Math.Min(rows, MaxRows), blockDepth));
        var room = tiledColumns < columns ? RoomForColumn : 0;
        if (packed == null)
        {
            var packedColumns =
                Packing.IsWorth(b.RowStride, b.ColumnStride, blockDepth, rows) ? Packing.Padded(Math.Min(columns, MaxColumns), TVector.Width)
                : tiledColumns % TVector.Width > 0 ? PanelWidth
                : 0;
            room = Math.Max(room, blockDepth * packedColumns);
        }

        if (room > 0) Scratch.Packed(room);
    }

    private int RoomForColumn => depth + 4 * TVector.Width;

    private static int RoomForRows(int rows, int depth) => rows / TVector.TileRows * Packing.TileStride<TVector>(depth);

    /// <summary>Rows and columns, up to but without the second of each pair, of matrix (o, n) of the stack.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void Multiply(int o, int n, int rowFrom, int rowTo, int columnFrom, int columnTo, float* scratch)
    {
        var a0 = a.Start(o, n);
        var b0 = b.Start(o, n);
        var c0 = c.Start(o, n);
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
                    b, b0, p, Math.Min(Packing.MaxDepth, depth - p), j, Math.Min(MaxColumns, columnTo - j), rows,
                    packed == null ? null : packed + (nint)p * Packing.Padded(tiledColumns, TVector.Width));
                for (var i = rowFrom; i < rowTo; i += MaxRows)
                {
                    var band = new Band(a, a0, i, Math.Min(MaxRows, rowTo - i), block, packsRows);
                    for (var k = j; k < block.ColumnTo; k += PanelWidth) MultiplyPanel(band, block, k, c0, scratch);
                }
            }

            p += Packing.MaxDepth;
        }
        while (p < depth);

        if (triangle == Triangle.LowerResult) MaskAboveDiagonal(c0, rowFrom, rowTo);
    }

    private void MaskAboveDiagonal(float* c0, int rowFrom, int rowTo)
    {
        TVector value = masked;
        var row = c0 + rowFrom * c.RowStride;
        var whole = c.ColumnStride == 1 ? columns / TVector.Width * TVector.Width : 0;
        for (var i = rowFrom; i < rowTo; i++, row += c.RowStride)
        {
            var j = i + 1;
            if (j < whole)
            {
                var start = j / TVector.Width * TVector.Width;
                TVector.Select(TVector.First(j - start), TVector.Load(row + start), value).Store(row + start);
                for (j = start + TVector.Width; j < whole; j += TVector.Width) value.Store(row + j);
            }

            for (; j < columns; j++) row[j * c.ColumnStride] = masked;
        }
    }

    /// <summary>
    /// Some rows of c's column j alone, in four sums at once: of four rows, along them where these lie without gaps, else of four
    /// vectors of rows, down a's columns.
    /// </summary>
    private void MultiplyColumn(float* a, float* b, float* c, int rows, int j)
    {
        var column = Scratch.Packed(RoomForColumn);
        for (var p = 0; p < depth; p++) column[p] = b[p * this.b.RowStride];
        var sums = column + depth;
        var alongRows = this.a.ColumnStride == 1;
        var step = alongRows ? 4 : 4 * TVector.Width;
        for (var i = 0; i < rows; i += step, a += step * this.a.RowStride)
        {
            var count = Math.Min(step, rows - i);
            TVector s0 = default, s1 = default, s2 = default, s3 = default;
            if (alongRows)
            {
                var last = (count - 1) * this.a.RowStride;
                for (var p = 0; p < depth; p += TVector.Width)
                {
                    var n = Math.Min(TVector.Width, depth - p);
                    var x = TVector.LoadFirst(column + p, n);
                    s0 = TVector.MultiplyAdd(TVector.LoadFirst(a + p, n), x, s0);
                    s1 = TVector.MultiplyAdd(TVector.LoadFirst(a + p + Math.Min(this.a.RowStride, last), n), x, s1);
                    s2 = TVector.MultiplyAdd(TVector.LoadFirst(a + p + Math.Min(2 * this.a.RowStride, last), n), x, s2);
                    s3 = TVector.MultiplyAdd(TVector.LoadFirst(a + p + last, n), x, s3);
                }

                (sums[0], sums[1], sums[2], sums[3]) = (s0.Sum(), s1.Sum(), s2.Sum(), s3.Sum());
            }
            else
            {
                for (var p = 0; p < depth; p++)
                {
                    var rowsOfStep = a + p * this.a.ColumnStride;
                    s0.AddProduct(column + p, TVector.LoadFirst(rowsOfStep, count));
                    s1.AddProduct(column + p, TVector.LoadFirst(rowsOfStep + TVector.Width, Math.Max(count - TVector.Width, 0)));
                    s2.AddProduct(column + p, TVector.LoadFirst(rowsOfStep + 2 * TVector.Width, Math.Max(count - 2 * TVector.Width, 0)));
                    s3.AddProduct(column + p, TVector.LoadFirst(rowsOfStep + 3 * TVector.Width, Math.Max(count - 3 * TVector.Width, 0)));
                }

                s0.Store(sums);
                s1.Store(sums + TVector.Width);
                s2.Store(sums + 2 * TVector.Width);
                s3.Store(sums + 3 * TVector.Width);
            }

            for (var r = 0; r < count; r++, c += this.c.RowStride)
            {
                *c = finish.Scale * sums[r] + (finish.Bias == null ? 0 : finish.Bias[j]) + (finish.Accumulate ? *c : 0);
            }
        }
    }

    /// <summary>A band of a times the panel of b that starts at column j: strips of tiles that sum as far as one another, or each a tile further.</summary>
    private void MultiplyPanel(in Band band, in Block block, int j, float* c0, float* scratch)
    {
        var columnTo = Math.Min(j + PanelWidth, block.ColumnTo);
        if (triangle == Triangle.None)
        {
            MultiplyStrip(band, block, j, columnTo, band.From, band.To, new(block.Depth), c0, scratch);
            return;
        }

        if (triangle == Triangle.LowerResult)
        {
            // Whole vectors: what they hold above the diagonal is masked in the end.
            var top = Math.Clamp(j / TVector.TileRows * TVector.TileRows, band.From, band.To);
            var narrowTo = Math.Clamp(j + TVector.Width, top, band.To);
            MultiplyStrip(band, block, j, Math.Min(j + TVector.Width, columnTo), top, narrowTo, new(block.Depth), c0, scratch);
            MultiplyStrip(band, block, j, columnTo, narrowTo, band.To, new(block.Depth), c0, scratch);
            return;
        }

        // Tiles above the square that the block has on the diagonal, tiles in it, and below it.
        var (from, to, lower) = (block.DepthFrom, block.DepthTo, triangle == Triangle.LowerLeft);
        var squareFrom = Math.Clamp(from, band.From, band.To);
        var squareTo = Math.Clamp(Ceiling(to, TVector.TileRows) * TVector.TileRows, band.From, band.To);
        var wholeTo = Math.Clamp(to / TVector.TileRows * TVector.TileRows, squareFrom, squareTo);
        if (!lower || from == 0) MultiplyStrip(band, block, j, columnTo, band.From, squareFrom, new(lower ? 0 : block.Depth), c0, scratch);
        MultiplyStrip(band, block, j, columnTo, squareFrom, wholeTo, OnDiagonal(squareFrom, TVector.TileRows), c0, scratch);
        MultiplyStrip(band, block, j, columnTo, wholeTo, squareTo, OnDiagonal(wholeTo, Math.Min(squareTo, to) - wholeTo), c0, scratch);
        if (lower || from == 0) MultiplyStrip(band, block, j, columnTo, squareTo, band.To, new(lower ? block.Depth : 0), c0, scratch);

        Tile.Extent OnDiagonal(int i, int steps) => lower ? new(i - from, TVector.TileRows, steps) : new(to - i - steps, -TVector.TileRows, steps);
    }

    /// <summary>
    /// The tiles of c's rows and columns up to but without the second of each pair. The first block of the sum applies bias and
    /// accumulation, later ones add to it.
    /// </summary>
    private void MultiplyStrip(
        in Band band, in Block block, int j, int columnTo, int from, int to, in Tile.Extent extent, float* c0, float* scratch)
    {
        if (from >= to) return;

        var first = block.DepthFrom == 0;
        var rules = new Tile.Finish(finish.Scale, first && finish.Bias != null ? finish.Bias + j : null, !first || finish.Accumulate);
        var width = columnTo - j;
        var narrow = width <= TVector.Width;
        // One vector wide, 8 rows have as many sums at work at once as 4 of two vectors. At the diagonal there are no more than a vector has floats;
        // bands that are packed are so for the vector's own height.
        var height = narrow && triangle == Triangle.LowerResult ? Math.Clamp(TVector.Width, TVector.TileRows, MostTileRows) : TVector.TileRows;
        var start = extent.Growth < 0 ? block.Depth - 1 : 0;
        var panel = block.Panel(j, start, out var stride);
        if (extent.Growth < 0) stride = -stride;
        var c = c0 + from * this.c.RowStride + j * this.c.ColumnStride;
        var direct = width == (narrow ? TVector.Width : PanelWidth) && this.c.ColumnStride == 1;
        var tile = 0;
        while (from < to)
        {
            var tiles = direct ? (to - from) / height : 0;
            var reach = extent.At(tile);
            if (tiles > 0)
            {
                Compute(narrow, tiles, reach, band[from, height, start, extent.Growth < 0], height, panel, stride, c, this.c.RowStride, rules);
            }
            else
            {
                tiles = 1;
                var count = Math.Min(height, to - from);
                // Sums that start from the bias do so here too: a row's result does not depend on which rows are computed with it.
                var whole = direct && rules.IsPlain;
                Compute(
                    narrow, 1, reach, band[from, height, start, extent.Growth < 0], count, panel, stride, scratch, PanelWidth,
                    whole ? rules : new(finish.Scale, null, false));
                Merge(scratch, c, count, width, whole ? new(1, null, false) : rules);
            }

            tile += tiles;
            from += tiles * height;
            c += tiles * height * this.c.RowStride;
        }
    }

    private static void Compute(
        bool narrow, int tiles, in Tile.Extent extent, in Tile.Rows a, int rows, float* b, nint bStride, float* c, nint cStride, in Tile.Finish rules)
    {
        if (rows > 4)
        {
            if (narrow) Tile.Eight<TVector>(tiles, extent, a, rows, b, bStride, c, cStride, rules);
            else Tile.Eight<Pair<TVector>>(tiles, extent, a, rows, b, bStride, c, cStride, rules);
        }
        else
        {
            if (narrow) Tile.Four<TVector>(tiles, extent, a, rows, b, bStride, c, cStride, rules);
            else Tile.Four<Pair<TVector>>(tiles, extent, a, rows, b, bStride, c, cStride, rules);
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

    /// <summary>Some rows of a over a block's stretch of the sum: in place, or, as far as they fill tiles, packed.</summary>
    private readonly ref struct Band
    {
        private readonly float* start;
        private readonly nint rowStride;
        private readonly nint columnStride;
        private readonly float* packed;
        private readonly int depth;

        public Band(in Operand a, float* a0, int from, int rows, in Block block, bool packs)
        {
            From = from;
            To = from + rows;
            (rowStride, columnStride, depth) = (a.RowStride, a.ColumnStride, block.Depth);
            start = a0 + from * rowStride + block.DepthFrom * columnStride;
            if (!packs) return;

            packed = Scratch.PackedRows(RoomForRows(rows, depth));
            Packing.PackRows<TVector>(start, columnStride, rows, depth, packed);
        }

        public int From { get; }

        public int To { get; }

        /// <summary>The tiles of so many rows from row i on, at a step of the sum; only those of the vector's own height may be packed.</summary>
        public Tile.Rows this[int i, int height, int step, bool backwards]
        {
            get
            {
                var rows = packed != null && i + height <= To
                    ? new Tile.Rows(packed + (i - From) / TVector.TileRows * Packing.TileStride<TVector>(depth), 1, TVector.TileRows, Packing.TileStride<TVector>(depth))
                    : new Tile.Rows(start + (i - From) * rowStride, rowStride, columnStride, height * rowStride);
                return rows.From(step, backwards);
            }
        }
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

        /// <summary>The block, where <paramref name="packed"/> is not null of all columns of these steps, packed before.</summary>
        public Block(in Operand b, float* b0, int depthFrom, int depth, int columnFrom, int columns, int rows, float* packed)
        {
            DepthFrom = depthFrom;
            Depth = depth;
            ColumnFrom = columnFrom;
            Columns = columns;
            corner = b0 + depthFrom * b.RowStride + columnFrom * b.ColumnStride;
            stride = b.RowStride;
            if (packed != null)
            {
                this.packed = packed + (nint)columnFrom * depth;
                return;
            }

            if (Packing.IsWorth(b.RowStride, b.ColumnStride, depth, rows)) inPlace = 0;
            else if (columns % TVector.Width == 0) inPlace = columns;
            else inPlace = columns / PanelWidth * PanelWidth;
            if (inPlace == columns) return;

            this.packed = Scratch.Packed(depth * Packing.Padded(columns - inPlace, TVector.Width));
            Packing.Pack<TVector>(
                corner + inPlace * b.ColumnStride, b.RowStride, b.ColumnStride, depth, columns - inPlace, this.packed);
        }

        public int DepthFrom { get; }

        public int Depth { get; }

        public int ColumnFrom { get; }

        public int Columns { get; }

        public int DepthTo => DepthFrom + Depth;

        public int ColumnTo => ColumnFrom + Columns;

        /// <summary>Where the panel of column j is at a step of the block's sum, and how far its next row is.</summary>
        public float* Panel(int j, int step, out nint panelStride)
        {
            var offset = j - ColumnFrom;
            if (offset < inPlace)
            {
                panelStride = stride;
                return corner + step * stride + offset;
            }

            panelStride = Columns - offset <= TVector.Width ? TVector.Width : PanelWidth;
            return packed + (nint)(offset - inPlace) * Depth + step * panelStride;
        }
    }
}
