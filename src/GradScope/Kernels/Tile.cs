using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>
/// The inner loop of the matrix product: a tile of c, 8 or 4 rows by one or two vectors, whose sums stay in registers
/// while p runs. a is read element by element through its strides (so a transposed a needs no copy), b row by row.
/// </summary>
internal static unsafe class Tile
{
    /// <summary>
    /// The steps that end a tile's sum where a is a triangle: p is then inside the square on the diagonal, and with each step one row
    /// fewer counts.
    /// </summary>
    internal readonly struct Diagonal
    {
        private readonly bool fromTheTop;

        private Diagonal(int steps, uint rows, bool fromTheTop) => (Steps, Rows, this.fromTheTop) = (steps, rows, fromTheTop);

        public int Steps { get; }

        /// <summary>A bit for each row that counts at the first step.</summary>
        public uint Rows { get; }

        /// <summary>p goes down the diagonal: at step s the rows from s on count.</summary>
        public static Diagonal Down(int steps) => new(steps, uint.MaxValue, true);

        /// <summary>p comes up the diagonal: at the last step row 0 alone counts.</summary>
        public static Diagonal Up(int steps) => new(steps, (1u << steps) - 1, false);

        public uint Next(uint rows) => fromTheTop ? rows << 1 : rows >> 1;
    }

    /// <summary>
    /// What becomes of a tile's sums: c = Scale · sum (+ Bias, added to each row, unless it is null) (+ c).
    /// </summary>
    internal readonly struct Finish(float scale, float* bias, bool accumulate)
    {
        public float Scale { get; } = scale;

        public float* Bias { get; } = bias;

        public bool Accumulate { get; } = accumulate;
    }

    /// <summary>
    /// A tile of 8 rows. Where a has fewer (<paramref name="rows"/> of 1 to 7) the last is read again in place of the
    /// missing ones; c must hold all 8.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Eight<TRow>(
        int depth, float* a, nint rowStride, nint columnStride, int rows,
        float* b, nint bStride, float* c, nint cStride, in Diagonal diagonal, in Finish finish)
        where TRow : struct, ITileRow<TRow>
    {
        TRow c0 = default, c1 = default, c2 = default, c3 = default, c4 = default, c5 = default, c6 = default, c7 = default;
        var last = (rows - 1) * rowStride;
        var a1 = Math.Min(rowStride, last);
        var a2 = Math.Min(2 * rowStride, last);
        var a3 = Math.Min(3 * rowStride, last);
        var a4 = Math.Min(4 * rowStride, last);
        var a5 = Math.Min(5 * rowStride, last);
        var a6 = Math.Min(6 * rowStride, last);
        for (var p = depth; p > 0; p--)
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

        var counting = diagonal.Rows;
        for (var p = diagonal.Steps; p > 0; p--)
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
            counting = diagonal.Next(counting);
            a += columnStride;
            b += bStride;
        }

        Put(c0, c, finish);
        Put(c1, c += cStride, finish);
        Put(c2, c += cStride, finish);
        Put(c3, c += cStride, finish);
        Put(c4, c += cStride, finish);
        Put(c5, c += cStride, finish);
        Put(c6, c += cStride, finish);
        Put(c7, c += cStride, finish);
    }

    /// <summary>A tile of 4 rows, as <see cref="Eight"/> otherwise.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Four<TRow>(
        int depth, float* a, nint rowStride, nint columnStride, int rows,
        float* b, nint bStride, float* c, nint cStride, in Diagonal diagonal, in Finish finish)
        where TRow : struct, ITileRow<TRow>
    {
        TRow c0 = default, c1 = default, c2 = default, c3 = default;
        var last = (rows - 1) * rowStride;
        var a1 = Math.Min(rowStride, last);
        var a2 = Math.Min(2 * rowStride, last);
        for (var p = depth; p > 0; p--)
        {
            var row = TRow.Load(b);
            c0.AddProduct(a, row);
            c1.AddProduct(a + a1, row);
            c2.AddProduct(a + a2, row);
            c3.AddProduct(a + last, row);
            a += columnStride;
            b += bStride;
        }

        var counting = diagonal.Rows;
        for (var p = diagonal.Steps; p > 0; p--)
        {
            var row = TRow.Load(b);
            if ((counting & 1) != 0) c0.AddProduct(a, row);
            if ((counting & 2) != 0) c1.AddProduct(a + a1, row);
            if ((counting & 4) != 0) c2.AddProduct(a + a2, row);
            if ((counting & 8) != 0) c3.AddProduct(a + last, row);
            counting = diagonal.Next(counting);
            a += columnStride;
            b += bStride;
        }

        Put(c0, c, finish);
        Put(c1, c += cStride, finish);
        Put(c2, c += cStride, finish);
        Put(c3, c += cStride, finish);
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
