using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>
/// The inner loop of the matrix product: tiles of c, 8 or 4 rows by one or two vectors, whose sums stay in registers while p runs.
/// A strip of them, one below the other, is made in one call, so that the panel of b that they share stays in the first-level
/// cache. a is read element by element through its strides (so a transposed a needs no copy), b row by row.
/// </summary>
internal static unsafe class Tile
{
    /// <summary>
    /// A tile's rows of a from where its sum starts: to the next row, to the next step of the sum, and to the next tile of the strip.
    /// </summary>
    internal readonly struct Rows(float* start, nint rowStride, nint columnStride, nint tileStride)
    {
        public float* Start { get; } = start;

        public nint RowStride { get; } = rowStride;

        public nint ColumnStride { get; } = columnStride;

        public nint TileStride { get; } = tileStride;

        /// <summary>The same so many steps of the sum further on, and from there forwards or backwards.</summary>
        public Rows From(int step, bool backwards) => new(Start + step * ColumnStride, RowStride, backwards ? -ColumnStride : ColumnStride, TileStride);
    }

    /// <summary>
    /// How far the tiles of a strip sum: the first <paramref name="depth"/> steps, each further one <paramref name="growth"/> more
    /// than the one above it, and then, where a is a triangle, the steps of the square on its diagonal, each with one row fewer or more.
    /// </summary>
    internal readonly struct Extent(int depth, int growth = 0, int diagonal = 0)
    {
        public int Depth { get; } = depth;

        public int Growth { get; } = growth;

        public int Diagonal { get; } = diagonal;

        /// <summary>From a further tile of the strip on.</summary>
        public Extent At(int tile) => new(Depth + tile * Growth, Growth, Diagonal);

        /// <summary>A bit for each row that counts at the first step of the square: p goes down it where tiles grow, else up.</summary>
        public uint FirstRows => Growth > 0 ? uint.MaxValue : (1u << Diagonal) - 1;

        public uint Next(uint rows) => Growth > 0 ? rows << 1 : rows >> 1;
    }

    /// <summary>
    /// What becomes of a tile's sums: c = Scale · sum (+ Bias, added to each row, unless it is null) (+ c).
    /// </summary>
    internal readonly struct Finish(float scale, float* bias, bool accumulate)
    {
        public float Scale { get; } = scale;

        public float* Bias { get; } = bias;

        public bool Accumulate { get; } = accumulate;

        /// <summary>Whether sums that start from the bias are the result.</summary>
        public bool IsPlain => Scale == 1 && !Accumulate;
    }

    /// <summary>
    /// Tiles of 8 rows. Where a has fewer (<paramref name="rows"/> of 1 to 7) the last is read again in place of the
    /// missing ones; c must hold all 8.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Eight<TRow>(
        int tiles, in Extent extent, in Rows rowsOfA, int rows, float* bStart, nint bStride, float* c, nint cStride, in Finish finish)
        where TRow : struct, ITileRow<TRow>
    {
        var rowStride = rowsOfA.RowStride;
        var columnStride = rowsOfA.ColumnStride;
        var last = (rows - 1) * rowStride;
        var a1 = Math.Min(rowStride, last);
        var a2 = Math.Min(2 * rowStride, last);
        var a3 = Math.Min(3 * rowStride, last);
        var a4 = Math.Min(4 * rowStride, last);
        var a5 = Math.Min(5 * rowStride, last);
        var a6 = Math.Min(6 * rowStride, last);
        var plain = finish.IsPlain;
        var start = plain && finish.Bias != null ? TRow.Load(finish.Bias) : default;
        for (var tile = 0; tile < tiles; tile++)
        {
            TRow c0 = start, c1 = start, c2 = start, c3 = start, c4 = start, c5 = start, c6 = start, c7 = start;
            var a = rowsOfA.Start + tile * rowsOfA.TileStride;
            var b = bStart;
            for (var p = extent.Depth + tile * extent.Growth; p > 0; p--)
            {
                var row = TRow.Load(b);
                c0.AddProduct(a, row);
                c1.AddProduct(a + a1, row);
                c2.AddProduct(a + a2, row);
                c3.AddProduct(a + a3, row);
                c4.AddProduct(a + a4, row);
                c5.AddProduct(a + a5, row);
                c6.AddProduct(a + a6, row);
                c7.AddProduct(a + last, row);
                a += columnStride;
                b += bStride;
            }

            var counting = extent.FirstRows;
            for (var p = extent.Diagonal; p > 0; p--)
            {
                var row = TRow.Load(b);
                if ((counting & 1) != 0) c0.AddProduct(a, row);
                if ((counting & 2) != 0) c1.AddProduct(a + a1, row);
                if ((counting & 4) != 0) c2.AddProduct(a + a2, row);
                if ((counting & 8) != 0) c3.AddProduct(a + a3, row);
                if ((counting & 16) != 0) c4.AddProduct(a + a4, row);
                if ((counting & 32) != 0) c5.AddProduct(a + a5, row);
                if ((counting & 64) != 0) c6.AddProduct(a + a6, row);
                if ((counting & 128) != 0) c7.AddProduct(a + last, row);
                counting = extent.Next(counting);
                a += columnStride;
                b += bStride;
            }

            if (plain)
            {
                c0.Store(c);
                c1.Store(c + cStride);
                c2.Store(c + 2 * cStride);
                c3.Store(c + 3 * cStride);
                c4.Store(c + 4 * cStride);
                c5.Store(c + 5 * cStride);
                c6.Store(c + 6 * cStride);
                c7.Store(c + 7 * cStride);
            }
            else
            {
                Put(c0, c, finish);
                Put(c1, c + cStride, finish);
                Put(c2, c + 2 * cStride, finish);
                Put(c3, c + 3 * cStride, finish);
                Put(c4, c + 4 * cStride, finish);
                Put(c5, c + 5 * cStride, finish);
                Put(c6, c + 6 * cStride, finish);
                Put(c7, c + 7 * cStride, finish);
            }

            c += 8 * cStride;
        }
    }

    /// <summary>Tiles of 4 rows, as <see cref="Eight"/> otherwise.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Four<TRow>(
        int tiles, in Extent extent, in Rows rowsOfA, int rows, float* bStart, nint bStride, float* c, nint cStride, in Finish finish)
        where TRow : struct, ITileRow<TRow>
    {
        var rowStride = rowsOfA.RowStride;
        var columnStride = rowsOfA.ColumnStride;
        var last = (rows - 1) * rowStride;
        var a1 = Math.Min(rowStride, last);
        var a2 = Math.Min(2 * rowStride, last);
        var twoRows = 2 * bStride;
        var threeRows = 3 * bStride;
        var plain = finish.IsPlain;
        var start = plain && finish.Bias != null ? TRow.Load(finish.Bias) : default;
        for (var tile = 0; tile < tiles; tile++)
        {
            TRow c0 = start, c1 = start, c2 = start, c3 = start;
            var a = rowsOfA.Start + tile * rowsOfA.TileStride;
            var b = bStart;
            // a's rows as they lie, or packed.
            var steps = extent.Depth + tile * extent.Growth;
            if (columnStride == 1)
            {
                for (; steps >= 4; steps -= 4, a += 4, b += 4 * bStride)
                {
                    AddSteps(ref c0, ref c1, ref c2, ref c3, a, a1, a2, last, 1, b, bStride, twoRows, threeRows);
                }
            }
            else if (columnStride == 4)
            {
                for (; steps >= 4; steps -= 4, a += 16, b += 4 * bStride)
                {
                    AddSteps(ref c0, ref c1, ref c2, ref c3, a, a1, a2, last, 4, b, bStride, twoRows, threeRows);
                }
            }

            for (; steps > 0; steps--)
            {
                AddStep(ref c0, ref c1, ref c2, ref c3, a, a1, a2, last, 0, TRow.Load(b));
                a += columnStride;
                b += bStride;
            }

            var counting = extent.FirstRows;
            for (var p = extent.Diagonal; p > 0; p--)
            {
                var row = TRow.Load(b);
                if ((counting & 1) != 0) c0.AddProduct(a, row);
                if ((counting & 2) != 0) c1.AddProduct(a + a1, row);
                if ((counting & 4) != 0) c2.AddProduct(a + a2, row);
                if ((counting & 8) != 0) c3.AddProduct(a + last, row);
                counting = extent.Next(counting);
                a += columnStride;
                b += bStride;
            }

            if (plain)
            {
                c0.Store(c);
                c1.Store(c + cStride);
                c2.Store(c + 2 * cStride);
                c3.Store(c + 3 * cStride);
            }
            else
            {
                Put(c0, c, finish);
                Put(c1, c + cStride, finish);
                Put(c2, c + 2 * cStride, finish);
                Put(c3, c + 3 * cStride, finish);
            }

            c += 4 * cStride;
        }
    }

    /// <summary>
    /// Four steps of the sum. With the stride a constant here, each is its loads and multiplications and nothing else: where a processor's
    /// core also works for another program, the number of instructions decides.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddSteps<TRow>(
        ref TRow c0, ref TRow c1, ref TRow c2, ref TRow c3, float* a, nint a1, nint a2, nint a3, nint columnStride, float* b, nint row, nint twoRows, nint threeRows)
        where TRow : struct, ITileRow<TRow>
    {
        AddStep(ref c0, ref c1, ref c2, ref c3, a, a1, a2, a3, 0, TRow.Load(b));
        AddStep(ref c0, ref c1, ref c2, ref c3, a, a1, a2, a3, columnStride, TRow.Load(b, row));
        AddStep(ref c0, ref c1, ref c2, ref c3, a, a1, a2, a3, 2 * columnStride, TRow.Load(b, twoRows));
        AddStep(ref c0, ref c1, ref c2, ref c3, a, a1, a2, a3, 3 * columnStride, TRow.Load(b, threeRows));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddStep<TRow>(ref TRow c0, ref TRow c1, ref TRow c2, ref TRow c3, float* a, nint a1, nint a2, nint a3, nint offset, TRow row)
        where TRow : struct, ITileRow<TRow>
    {
        c0.AddProduct(a + offset, row);
        c1.AddProduct(a + a1 + offset, row);
        c2.AddProduct(a + a2 + offset, row);
        c3.AddProduct(a + a3 + offset, row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<TRow>(TRow sum, float* c, in Finish finish) where TRow : struct, ITileRow<TRow>
    {
        if (finish.Scale != 1) sum.Multiply(finish.Scale);
        if (finish.Bias != null) sum.Add(TRow.Load(finish.Bias));
        if (finish.Accumulate) sum.Add(TRow.Load(c));
        sum.Store(c);
    }
}
