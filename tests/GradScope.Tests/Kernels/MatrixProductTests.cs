namespace GradScope.Tests.Kernels;

[Collection(nameof(Alone))]
public class MatrixProductTests
{
    private delegate void Product(
        in Matrix a, in Matrix b, in Matrix c, bool accumulate, float scale, Triangle triangle, float[]? bias, int biasOffset, float masked);

    /// <summary>Products on vectors of that width, whatever others this machine has.</summary>
    private static Product Of(int width) =>
        (in Matrix a, in Matrix b, in Matrix c, bool accumulate, float scale, Triangle triangle, float[]? bias, int biasOffset, float masked) =>
        {
            var widest = Lanes.Width;
            Lanes.Width = width;
            try
            {
                MatrixProduct.Multiply(a, b, c, accumulate, scale, triangle, bias, biasOffset, masked);
            }
            finally
            {
                Lanes.Width = widest;
            }
        };

    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public void Agrees_with_a_sum_in_double_for_shapes_of_all_kinds(int width)
    {
        var random = new Random(1);
        int[] sizes = [1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 66, 100];
        for (var n = 0; n < 400; n++)
        {
            int Size() => sizes[random.Next(sizes.Length)];
            new Case(random, Size(), Size(), Size(), random.Next(3) == 0 ? 3 : 1, random.Next(3) == 0 ? 2 : 1).Run(Of(width));
        }
    }

    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public void Agrees_where_sum_and_columns_need_several_blocks(int width)
    {
        var random = new Random(2);
        (int, int, int)[] shapes = [(3, 385, 5), (20, 900, 7), (9, 513, 1030), (150, 390, 40), (1, 1000, 1), (300, 300, 20)];
        foreach (var (m, k, n) in shapes)
        {
            for (var repeat = 0; repeat < 6; repeat++) new Case(random, m, k, n, 1, 1).Run(Of(width));
        }

        // Large enough that b is packed for all pieces at once.
        new Case(random, 500, 400, 301, 1, 1).Run(Of(width));
    }

    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public void A_triangle_ignores_what_is_outside_it(int width)
    {
        var random = new Random(3);
        foreach (var size in new[] { 1, 2, 5, 8, 11, 16, 24, 31, 32, 33, 40, 65, 400 })
        {
            foreach (var triangle in new[] { Triangle.LowerResult, Triangle.LowerLeft, Triangle.UpperLeft })
            {
                for (var repeat = 0; repeat < 5; repeat++)
                {
                    var other = repeat switch { 2 => Math.Max(1, size - 3), 3 => size + 9, 4 => Math.Max(1, size - 16), _ => size };
                    var (k, n) = triangle == Triangle.LowerResult ? (16, other) : (other, 16);
                    var stack = size < 100 ? 2 : 1;
                    new Case(random, size, k, n, stack, stack) { Triangle = triangle }.Run(Of(width));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public void An_empty_sum_is_the_bias_alone(int width)
    {
        var c = new float[] { 7, 7 };
        Of(width)(
            new Matrix([], 0, 1, 0, 0, 1), new Matrix([], 0, 0, 2, 2, 1), new Matrix(c, 0, 1, 2, 2, 1),
            false, 1, Triangle.None, [1, 2, 3], 1, 0);
        Assert.Equal([2, 3], c);
    }

    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public void Two_threads_give_the_bits_of_one(int width)
    {
        (int, int, int, int)[] shapes =
            [(512, 64, 65, 1), (64, 512, 256, 1), (65, 513, 64, 1), (64, 512, 65, 1), (32, 16, 32, 64), (70, 300, 70, 3), (72, 300, 72, 1), (500, 400, 301, 1)];
        foreach (var (m, k, n, outer) in shapes)
        {
            foreach (var triangle in Enum.GetValues<Triangle>())
            {
                var one = Alone.WithThreads(1, Compute);
                Assert.All(Alone.WithShares(Compute), two => Assert.Equal(one, two));

                float[] Compute() => new Case(new Random(m), m, k, n, outer, 1) { Triangle = triangle }.Compute(Of(width));
            }
        }
    }

    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public void A_sum_over_the_rows_of_both_operands_is_made_in_halves_whatever_the_threads(int width)
    {
        foreach (var (m, k, n) in new[] { (24, 301, 17), (64, 512, 256), (65, 1000, 3), (1, 9, 1) })
        {
            foreach (var accumulate in new[] { false, true })
            {
                var random = new Random(k);
                float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
                var (x, gradient, start) = (Values(k * m), Values(k * n), Values(m * n));
                float[] Sum()
                {
                    var c = (float[])start.Clone();
                    Of(width)(new Matrix(x, 0, k, m, m, 1).Transposed, new Matrix(gradient, 0, k, n, n, 1), new Matrix(c, 0, m, n, n, 1), accumulate, 0.5f, Triangle.None, null, 0, 0);
                    return c;
                }

                var one = Alone.WithThreads(1, Sum);
                Assert.All(Alone.WithShares(Sum), two => Assert.Equal(one, two));
                for (var i = 0; i < m * n; i++)
                {
                    var expected = (accumulate ? start[i] : 0) + 0.5 * Enumerable.Range(0, k).Sum(p => (double)x[p * m + i / n] * gradient[p * n + i % n]);
                    Assert.Equal(expected, one[i], 1e-6 * (4 + 2 * Math.Sqrt(k)));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public unsafe void A_product_of_pieces_whose_b_is_packed_for_all_has_the_bits_of_one_that_packs_for_itself(int width)
    {
        var random = new Random(6);
        foreach (var (m, k, n, transposed) in new[] { (500, 400, 329, false), (500, 400, 329, true), (310, 790, 1033, false), (310, 790, 1033, true) })
        {
            var a = Operand.Random(random, m, k, transposed: false);
            var b = Operand.Random(random, k, n, transposed);
            var (whole, pieces) = (new float[m * n], new float[m * n]);
            var widest = Lanes.Width;
            Lanes.Width = width;
            try
            {
                MatrixProduct.MultiplyWhole(a, b, new Matrix(whole, 0, m, n, n, 1), accumulate: false);
                var packed = MatrixProduct.Pack(a, b);
                Assert.True(packed != null);
                foreach (var (from, to) in new[] { (0, 4), (4, 300), (300, m) })
                {
                    MatrixProduct.MultiplyWhole(
                        a.RowRange(from, to), b, new Matrix(pieces, 0, m, n, n, 1).RowRange(from, to), accumulate: false, packed: packed);
                }
            }
            finally
            {
                Lanes.Width = widest;
            }

            Assert.Equal(whole, pieces);
        }
    }

    [Theory]
    [InlineData(8, 4000, 1024, false)]
    [InlineData(32, 768, 3072, false)]
    [InlineData(40, 768, 3072, true)]
    [InlineData(64, 4096, 80, false)]
    [InlineData(512, 512, 512, true)]
    public unsafe void Products_of_few_rows_or_columns_are_shared_too(int m, int k, int n, bool transposed)
    {
        var a = Operand.Random(new Random(1), m, k, transposed: false);
        var b = Operand.Random(new Random(2), k, n, transposed);
        var c = Operand.Random(new Random(3), m, n, transposed: false);
        var packed = MatrixProduct.Pack(a, b);
        Assert.Equal(m == 512, packed != null);
        var product = new BlockedProduct<Scalar>(a, b, c, null, null, null, default, Triangle.None, 0, packed);
        Assert.InRange(product.UnitCount, 2 * product.Grain, int.MaxValue);
    }

    /// <summary>Also not where this thread, which shared the products with the other, now computes them alone. Its memory is new to it.</summary>
    [Theory]
    [InlineData(200, 300, 65, true)]
    [InlineData(64, 300, 500, true)]
    [InlineData(8, 300, 300, false)]
    [InlineData(8, 300, 321, false)]
    public void Allocates_nothing_once_warm(int rows, int depth, int columns, bool transposed)
    {
        var random = new Random(5);
        var a = Operand.Random(random, rows, depth, transposed: true);
        var b = Operand.Random(random, depth, columns, transposed);
        var c = Operand.Random(random, rows, columns, transposed: false);
        var (shared, alone) = Alone.OnNewThread(() =>
        {
            Alone.WithThreads(2, Multiply);
            return (Alone.WithThreads(2, Multiply), Alone.WithThreads(1, Multiply));
        });

        Assert.Equal((0, 0), (shared, alone));

        long Multiply()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++)
            {
                MatrixProduct.Multiply(a, b, c, accumulate: false);
                MatrixProduct.Multiply(a, b, c, accumulate: true, triangle: Triangle.LowerLeft);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Refuses_shapes_that_do_not_fit()
    {
        static Matrix Of(int rows, int columns) => new(new float[rows * columns], 0, rows, columns, columns, 1);

        static string Message(Matrix a, Matrix b, Matrix c, float[]? bias = null) =>
            Assert.Throws<ArgumentException>(() => MatrixProduct.Multiply(a, b, c, false, bias: bias)).Message;

        Assert.Equal(
            "MatMul: a is (4, 6) but b is (3, 2); a's last dimension must equal b's first", Message(Of(4, 6), Of(3, 2), Of(4, 2)));
        Assert.Equal(
            "MatMul: a is (4, 6) and b is (6, 2) but c is (2, 4); c must be (4, 2)", Message(Of(4, 6), Of(6, 2), Of(2, 4)));
        Assert.Contains("stack", Message(Of(4, 6) with { Outer = 2 }, Of(6, 2), Of(4, 2)));
        Assert.Contains("c's stack has a stride of 0", Message(
            Of(4, 6) with { Outer = 2 }, Of(6, 2) with { Outer = 2 }, Of(4, 2) with { Outer = 2 }));
        Assert.Contains(
            "b is 1 × 1 of (6, 2), strides 0 and 0 of (2, 1), from 1; it ends at element 12",
            Message(Of(4, 6), Of(6, 2) with { Offset = 1 }, Of(4, 2)));
        Assert.Contains("may not be negative", Message(Of(4, 6) with { RowStride = -6 }, Of(6, 2), Of(4, 2)));
        Assert.Contains("c has 2 columns but the bias, read from 0 on, has 1 values", Message(Of(4, 6), Of(6, 2), Of(4, 2), bias: [1]));
    }

    private static class Operand
    {
        public static Matrix Random(Random random, int rows, int columns, bool transposed, int outer = 1, int inner = 1)
        {
            var gap = random.Next(3) * 5;
            var (high, wide) = transposed ? (columns, rows) : (rows, columns);
            var interleaved = random.Next(2) == 0;
            // Heads side by side in a row, as in a packed q, k, v buffer, or one matrix after the other.
            var row = (interleaved ? wide * inner : wide) + gap;
            var innerStride = interleaved ? wide : high * row;
            var outerStride = interleaved ? high * row : inner * high * row;
            var offset = random.Next(20);
            var array = new float[offset + outer * outerStride + (interleaved ? 0 : inner * high * row)];
            for (var i = 0; i < array.Length; i++) array[i] = random.NextSingle() * 2 - 1;
            var matrix = new Matrix(array, offset, high, wide, row, 1, outer, outerStride, inner, innerStride);
            return transposed ? matrix.Transposed : matrix;
        }

        public static ref float Element(in Matrix m, int o, int n, int i, int j) =>
            ref m.Array[m.Offset + o * m.OuterStride + n * m.InnerStride + i * m.RowStride + j * m.ColumnStride];
    }

    /// <summary>A product with random layout and options, and the same in double.</summary>
    private sealed class Case(Random random, int m, int k, int n, int outer, int inner)
    {
        private readonly bool accumulate = random.Next(2) == 0;
        private readonly float scale = random.Next(2) == 0 ? 1 : 0.25f;
        private readonly float masked = random.Next(2) == 0 ? float.NegativeInfinity : 0;
        private readonly float[]? bias = random.Next(2) == 0 ? [.. Enumerable.Range(0, n + 3).Select(_ => random.NextSingle())] : null;
        private readonly Matrix a = Repeat(random, Operand.Random(random, m, k, random.Next(2) == 0, outer, inner));
        private readonly Matrix b = Repeat(random, Operand.Random(random, k, n, random.Next(2) == 0, outer, inner));
        private readonly Matrix c = Operand.Random(random, m, n, random.Next(5) == 0, outer, inner);

        public Triangle Triangle { get; init; }

        public float[] Compute(Product product)
        {
            product(a, b, c, accumulate, scale, Triangle, bias, 3, masked);
            return c.Array;
        }

        public void Run(Product product)
        {
            ForEach((o, n, i, p) =>
            {
                if (!Counts(i, p)) Operand.Element(a, o, n, i, p) = p % 2 == 0 ? float.NaN : float.NegativeInfinity;
            }, a);
            var expected = new Dictionary<int, double>();
            ForEach((o, n, i, j) =>
            {
                ref var element = ref Operand.Element(c, o, n, i, j);
                var sum = 0.0;
                for (var p = 0; p < k; p++)
                {
                    if (Counts(i, p)) sum += (double)Operand.Element(a, o, n, i, p) * Operand.Element(b, o, n, p, j);
                }

                sum = sum * scale + (bias is null ? 0 : bias[j + 3]) + (accumulate ? element : 0);
                expected[Index(ref element)] = Triangle == Triangle.LowerResult && j > i ? masked : sum;
            }, c);
            var before = (float[])c.Array.Clone();

            Compute(product);

            var tolerance = 1e-6 * (4 + Math.Sqrt(k) * 2);
            for (var index = 0; index < before.Length; index++)
            {
                if (!expected.TryGetValue(index, out var value)) Assert.Equal(before[index], c.Array[index]);
                else if (value != c.Array[index] && !(Math.Abs(value - c.Array[index]) <= tolerance))
                {
                    Assert.Fail($"{m}×{k} by {k}×{n}, {Triangle}, a {a}, b {b}, "
                        + $"c {c}: element {index} is {c.Array[index]}, expected {value}");
                }
            }
        }

        private int Index(ref float element) =>
            (int)(System.Runtime.CompilerServices.Unsafe.ByteOffset(ref c.Array[0], ref element) / sizeof(float));

        private bool Counts(int i, int p) => Triangle switch
        {
            Triangle.LowerLeft => p <= i,
            Triangle.UpperLeft => p >= i,
            _ => true,
        };

        private static Matrix Repeat(Random random, Matrix matrix) =>
            random.Next(4) == 0 ? matrix with { OuterStride = 0 }
            : random.Next(6) == 0 ? matrix with { InnerStride = 0 }
            : matrix;

        private static void ForEach(Action<int, int, int, int> action, in Matrix matrix)
        {
            for (var o = 0; o < matrix.Outer; o++)
            {
                for (var n = 0; n < matrix.Inner; n++)
                {
                    for (var i = 0; i < matrix.Rows; i++)
                    {
                        for (var j = 0; j < matrix.Columns; j++) action(o, n, i, j);
                    }
                }
            }
        }
    }
}
