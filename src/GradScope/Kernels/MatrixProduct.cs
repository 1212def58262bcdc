namespace GradScope;

/// <summary>
/// c = scale · a·b (+ bias, a row added to each row) (+ c, where it accumulates), for each matrix of the stack.
/// </summary>
internal static unsafe class MatrixProduct
{
    /// <summary>Estimated nanoseconds from which on a product is made in pieces of a b packed for all of them.</summary>
    private const long WorthPieces = 1_000_000;

    /// <summary>Floats of a b that are packed at once at most, 256 MB: they are kept.</summary>
    private const long MostPacked = 1 << 26;

    /// <summary>Rows of the smallest piece.</summary>
    public const int RowsOfPiece = 32;

    /// <summary>
    /// Multiplies on the widest vectors of this machine, and on two threads where the work is worth it: the result is
    /// the same bit for bit. Each matrix of c is written once, so c's stack may not repeat one by a stride of 0; a's
    /// and b's may. Strides are not negative, and c may not overlap a or b. What a <see cref="Triangle.LowerResult"/> does not ask for
    /// becomes <paramref name="masked"/>.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit one another, or reach outside their arrays.</exception>
    public static void Multiply(
        in Matrix a, in Matrix b, in Matrix c, bool accumulate,
        float scale = 1, Triangle triangle = Triangle.None, float[]? bias = null, int biasOffset = 0, float masked = 0)
    {
        Check(a, b, c, bias, biasOffset);
        if (!IsSummedOverRows(a, b, c, triangle, bias is not null))
        {
            var packed = triangle == Triangle.None && c.Outer * c.Inner == 1 ? Pack(a, b) : null;
            MultiplyChecked(a, b, c, accumulate, scale, triangle, bias, biasOffset, masked, packed);
            return;
        }

        var halves = new Halves(a, b, new(c.Rows * c.Columns), scale);
        Workers.For(ref halves, 2, Cost(c.Rows, c.Columns, a.Columns));
        halves.Sum.AddUp(new Buffer(c.Array, c.Offset, c.Rows * c.Columns), accumulate);
    }

    /// <summary>The same, but never as a <see cref="HalvedSum"/>, of which it may be a half; with b as <see cref="Pack"/> gave it.</summary>
    public static void MultiplyWhole(
        in Matrix a, in Matrix b, in Matrix c, bool accumulate,
        float scale = 1, Triangle triangle = Triangle.None, float[]? bias = null, int biasOffset = 0, float masked = 0, float* packed = null)
    {
        Check(a, b, c, bias, biasOffset);
        MultiplyChecked(a, b, c, accumulate, scale, triangle, bias, biasOffset, masked, packed);
    }

    private static void MultiplyChecked(
        in Matrix a, in Matrix b, in Matrix c, bool accumulate,
        float scale, Triangle triangle, float[]? bias, int biasOffset, float masked, float* packed)
    {
        switch (Lanes.Width)
        {
            case 16:
                MultiplyChecked<Wide512>(a, b, c, accumulate, scale, triangle, bias, biasOffset, masked, packed);
                break;
            case 8:
                MultiplyChecked<Wide256>(a, b, c, accumulate, scale, triangle, bias, biasOffset, masked, packed);
                break;
            case 4:
                MultiplyChecked<Wide128>(a, b, c, accumulate, scale, triangle, bias, biasOffset, masked, packed);
                break;
            default:
                MultiplyChecked<Scalar>(a, b, c, accumulate, scale, triangle, bias, biasOffset, masked, packed);
                break;
        }
    }

    /// <summary>
    /// b packed once, on both threads, for a product with a that is made in many pieces; null where each piece does as well by itself. Good
    /// until this thread's next.
    /// </summary>
    public static float* Pack(in Matrix a, in Matrix b)
    {
        var columns = TiledColumns(a, b.Columns);
        if (a.Rows < 8 * RowsOfPiece || Cost(a.Rows, b.Columns, b.Rows) < WorthPieces || (long)b.Rows * (columns + Lanes.Width) > MostPacked
            || !Packing.IsWorth(b.RowStride, b.ColumnStride, Math.Min(b.Rows, Packing.MaxDepth), a.Rows))
        {
            return null;
        }

        var packed = Scratch.PackedWhole(b.Rows * Packing.Padded(columns, Lanes.Width));
        Packing.PackWhole(b, columns, packed);
        return packed;
    }

    /// <summary>Columns of c that are made in tiles: in one that holds a few columns alone most lanes would be empty.</summary>
    public static int TiledColumns(in Matrix a, int columns)
    {
        var last = columns % Lanes.Width;
        return last <= Lanes.Width / 4 && (a.ColumnStride == 1 || a.RowStride == 1) ? columns - last : columns;
    }

    /// <summary>Estimated nanoseconds of a product on one thread: a vector a cycle at 3 GHz.</summary>
    public static long Cost(int rows, int columns, int depth) => (long)rows * columns * depth / (3 * Lanes.Width);

    private static void MultiplyChecked<TVector>(
        in Matrix a, in Matrix b, in Matrix c, bool accumulate,
        float scale, Triangle triangle, float[]? bias, int biasOffset, float masked, float* packed)
        where TVector : struct, ILanes<TVector>
    {
        if (c.Rows == 0 || c.Columns == 0 || c.Outer == 0 || c.Inner == 0) return;

        fixed (float* a0 = a.Array, b0 = b.Array, c0 = c.Array, bias0 = bias)
        {
            var finish = new Tile.Finish(scale, bias0 == null ? null : bias0 + biasOffset, accumulate);
            var product = new BlockedProduct<TVector>(a, b, c, a0, b0, c0, finish, triangle, masked, packed);
            Workers.For(ref product, product.UnitCount, product.Cost, product.Grain, product.Least, product.IsEven);
        }
    }

    /// <summary>
    /// Whether the sum runs along the rows of both operands as they lie (∂W = xᵀ·∂y) and is long beside c, so that it is best made as a
    /// <see cref="HalvedSum"/>.
    /// </summary>
    private static bool IsSummedOverRows(in Matrix a, in Matrix b, in Matrix c, Triangle triangle, bool hasBias) =>
        triangle == Triangle.None && !hasBias && c.Outer * c.Inner == 1 && a.RowStride == 1 && a.ColumnStride > 1 && b.ColumnStride == 1
        && c.ColumnStride == 1 && c.RowStride == c.Columns && c.Rows * c.Columns > 0 && HalvedSum.Suits(c.Rows, c.Columns, a.Columns);

    private readonly struct Halves(Matrix a, Matrix b, HalvedSum sum, float scale) : IJob
    {
        public HalvedSum Sum => sum;

        public void Run(int from, int to)
        {
            for (var half = from; half < to; half++)
            {
                var (first, end) = HalvedSum.Range(half, b.Rows);
                MultiplyWhole(a.ColumnRange(first, end), b.RowRange(first, end), sum[half].AsMatrix(a.Rows, b.Columns), accumulate: false, scale);
            }
        }
    }

    private static void Check(in Matrix a, in Matrix b, in Matrix c, float[]? bias, int biasOffset)
    {
        if (a.Columns != b.Rows)
        {
            throw new ArgumentException($"MatMul: a is {Shape(a)} but b is {Shape(b)}; a's last dimension must equal b's first");
        }

        if (c.Rows != a.Rows || c.Columns != b.Columns)
        {
            throw new ArgumentException(
                $"MatMul: a is {Shape(a)} and b is {Shape(b)} but c is {Shape(c)}; c must be ({a.Rows}, {b.Columns})");
        }

        if (a.Outer != c.Outer || b.Outer != c.Outer || a.Inner != c.Inner || b.Inner != c.Inner)
        {
            throw new ArgumentException(
                $"MatMul: a is a stack of {Stack(a)}, b of {Stack(b)} and c of {Stack(c)} matrices; the stacks must be equal "
                + "(a stride of 0 repeats a matrix)");
        }

        if ((c.Outer > 1 && c.OuterStride == 0) || (c.Inner > 1 && c.InnerStride == 0))
        {
            throw new ArgumentException("MatMul: c's stack has a stride of 0; each product needs a place of its own");
        }

        CheckBounds(a, "a");
        CheckBounds(b, "b");
        CheckBounds(c, "c");
        if (bias is not null && (biasOffset < 0 || biasOffset + c.Columns > bias.Length))
        {
            throw new ArgumentException(
                $"MatMul: c has {c.Columns} columns but the bias, read from {biasOffset} on, has {bias.Length} values in all");
        }
    }

    private static void CheckBounds(in Matrix m, string name)
    {
        var least = Math.Min(
            Math.Min(Math.Min(m.Rows, m.Columns), Math.Min(m.Outer, m.Inner)),
            Math.Min(Math.Min(m.RowStride, m.ColumnStride), Math.Min(m.OuterStride, m.InnerStride)));
        if (least < 0 || m.Offset < 0)
        {
            throw new ArgumentException($"MatMul: {name} is {m}; sizes, strides and offset may not be negative");
        }

        if (m.Rows == 0 || m.Columns == 0 || m.Outer == 0 || m.Inner == 0) return;

        var last = m.Offset + (long)(m.Rows - 1) * m.RowStride + (long)(m.Columns - 1) * m.ColumnStride
            + (long)(m.Outer - 1) * m.OuterStride + (long)(m.Inner - 1) * m.InnerStride;
        if (last >= m.Array.Length)
        {
            throw new ArgumentException(
                $"MatMul: {name} is {m}; it ends at element {last} but its array has {m.Array.Length}");
        }
    }

    private static string Shape(in Matrix m) => $"({m.Rows}, {m.Columns})";

    private static string Stack(in Matrix m) => $"{m.Outer} × {m.Inner}";
}
