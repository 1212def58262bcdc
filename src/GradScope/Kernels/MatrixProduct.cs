namespace GradScope;

/// <summary>
/// c = scale · a·b (+ bias, a row added to each row) (+ c, where it accumulates), for each matrix of the stack.
/// </summary>
internal static class MatrixProduct
{
    /// <summary>
    /// Multiplies on the widest vectors of this machine, and on two threads where the work is worth it: the result is
    /// the same bit for bit. Each matrix of c is written once, so c's stack may not repeat one by a stride of 0; a's
    /// and b's may. Strides are not negative, and c may not overlap a or b.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit one another, or reach outside their arrays.</exception>
    public static void Multiply(
        in Matrix a, in Matrix b, in Matrix c, bool accumulate,
        float scale = 1, Triangle triangle = Triangle.None, float[]? bias = null, int biasOffset = 0)
    {
        switch (Lanes.Width)
        {
            case 16:
                Multiply<Wide512>(a, b, c, accumulate, scale, triangle, bias, biasOffset);
                break;
            case 8:
                Multiply<Wide256>(a, b, c, accumulate, scale, triangle, bias, biasOffset);
                break;
            case 4:
                Multiply<Wide128>(a, b, c, accumulate, scale, triangle, bias, biasOffset);
                break;
            default:
                Multiply<Scalar>(a, b, c, accumulate, scale, triangle, bias, biasOffset);
                break;
        }
    }

    /// <summary>The same on vectors of a chosen width.</summary>
    internal static unsafe void Multiply<TVector>(
        in Matrix a, in Matrix b, in Matrix c, bool accumulate,
        float scale, Triangle triangle, float[]? bias, int biasOffset)
        where TVector : struct, ILanes<TVector>
    {
        Check(a, b, c, bias, biasOffset);
        if (c.Rows == 0 || c.Columns == 0 || c.Outer == 0 || c.Inner == 0) return;

        fixed (float* a0 = a.Array, b0 = b.Array, c0 = c.Array, bias0 = bias)
        {
            if (IsSummedOverRows(a, b, c, triangle, bias is not null))
            {
                var sum = new HalvedSum(c.Rows * c.Columns);
                var halves = new Halves<TVector>(
                    Half<TVector>(0, a, b, c, a0, b0, sum, scale), Half<TVector>(1, a, b, c, a0, b0, sum, scale));
                Workers.For(ref halves, 2, halves.Cost);
                sum.AddUp(new Buffer(c.Array, c.Offset, c.Rows * c.Columns), accumulate);
                return;
            }

            var finish = new Tile.Finish(scale, bias0 == null ? null : bias0 + biasOffset, accumulate);
            var product = new BlockedProduct<TVector>(a, b, c, a0, b0, c0, finish, triangle);
            Workers.For(ref product, product.UnitCount, product.Cost);
        }
    }

    /// <summary>
    /// Whether the sum runs along the rows of both operands as they lie (∂W = xᵀ·∂y) and is long beside c, so that it is best made as a
    /// <see cref="HalvedSum"/>.
    /// </summary>
    private static bool IsSummedOverRows(in Matrix a, in Matrix b, in Matrix c, Triangle triangle, bool hasBias) =>
        triangle == Triangle.None && !hasBias && c.Outer * c.Inner == 1 && a.RowStride == 1 && a.ColumnStride > 1 && b.ColumnStride == 1
        && c.ColumnStride == 1 && c.RowStride == c.Columns && 4L * c.Rows * c.Columns <= (long)(c.Rows + c.Columns) * a.Columns;

    private static unsafe BlockedProduct<TVector> Half<TVector>(
        int half, in Matrix a, in Matrix b, in Matrix c, float* aArray, float* bArray, in HalvedSum sum, float scale)
        where TVector : struct, ILanes<TVector>
    {
        var (from, to) = HalvedSum.Range(half, a.Columns);
        return new(
            a with { Columns = to - from, Offset = a.Offset + from * a.ColumnStride },
            b with { Rows = to - from, Offset = b.Offset + from * b.RowStride },
            c with { Offset = 0 }, aArray, bArray, sum[half], new(scale, null, accumulate: false), Triangle.None);
    }

    private readonly struct Halves<TVector>(BlockedProduct<TVector> first, BlockedProduct<TVector> second) : IJob
        where TVector : struct, ILanes<TVector>
    {
        public long Cost => first.Cost + second.Cost;

        public void Run(int from, int to)
        {
            if (from == 0) first.Run(0, first.UnitCount);
            if (to == 2) second.Run(0, second.UnitCount);
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
