namespace GradScope.Tests.Kernels;

public class HalvedSumTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void The_halves_cover_the_rows_without_gap_or_overlap(int rows)
    {
        var (first, last) = (HalvedSum.Range(0, rows), HalvedSum.Range(1, rows));
        Assert.Equal((0, first.To, rows), (first.From, last.From, last.To));
    }

    /// <summary>Rows too few to be halved, and many; of a weight and bias that are used once, and twice, so that more is added.</summary>
    [Theory]
    [InlineData(1, 5)]
    [InlineData(3, 16)]
    [InlineData(700, 33)]
    public void Rows_are_summed_to_the_same_bits_by_one_thread_and_by_two(int rows, int columns)
    {
        var (x, weight, factors) = (Filled(rows, 20, 1), Filled(20, columns, 2), Filled(rows, columns, 3));
        foreach (var uses in new[] { 1, 2 })
        {
            var (_, ofWeight, ofBias) = Gradients(x, weight, factors, uses);
            for (var j = 0; j < columns; j++)
            {
                Assert.Equal(uses * Enumerable.Range(0, rows).Sum(i => (double)factors[i, j]), ofBias[j], 1e-4);
                for (var k = 0; k < 20; k++)
                {
                    Assert.Equal(uses * Enumerable.Range(0, rows).Sum(i => (double)x[i, k] * factors[i, j]), ofWeight[k * columns + j], 2e-4);
                }
            }
        }
    }

    /// <summary>So large that the threads share out ∂x piece by piece.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_large_layers_gradients_are_those_of_double_precision(int uses)
    {
        var (rows, inputs, outputs) = (900, 70, 901);
        var (x, weight, factors) = (Filled(rows, inputs, 1), Filled(inputs, outputs, 2), Filled(rows, outputs, 3));
        var (ofX, ofWeight, _) = Gradients(x, weight, factors, uses);
        AssertNear(rows, inputs, (i, k) => uses * Enumerable.Range(0, outputs).Sum(j => (double)factors[i, j] * weight[k, j]), ofX);
        AssertNear(inputs, outputs, (k, j) => uses * Enumerable.Range(0, rows).Sum(i => (double)x[i, k] * factors[i, j]), ofWeight);

        static void AssertNear(int rows, int columns, Func<int, int, double> expected, float[] values)
        {
            double difference = 0, size = 0;
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j += 7)
                {
                    var e = expected(i, j);
                    difference += Math.Pow(values[i * columns + j] - e, 2);
                    size += e * e;
                }
            }

            Assert.InRange(Math.Sqrt(difference / size), 0, 1e-6);
        }
    }

    /// <summary>Of Σ factors · (x·W + b), used once or twice: the same on one thread and on two.</summary>
    private static (float[] X, float[] Weight, float[] Bias) Gradients(Tensor x, Tensor weight, Tensor factors, int uses)
    {
        var one = Alone.WithThreads(1, Compute);
        Assert.All(Alone.WithShares(Compute), two =>
        {
            Assert.Equal(one.X, two.X);
            Assert.Equal(one.Weight, two.Weight);
            Assert.Equal(one.Bias, two.Bias);
        });
        return one;

        (float[] X, float[] Weight, float[] Bias) Compute()
        {
            var tape = new Tape();
            var columns = weight.Shape[1];
            var (input, w, b) = (tape.Variable(x), tape.Variable(weight), tape.Variable(new Tensor([columns], new float[columns])));
            var y = tape.Constant(factors);
            var loss = (input.Linear(w, b) * y).Sum();
            if (uses == 2) loss += (input.Linear(w, b) * y).Sum();
            tape.Backward(loss);
            return ([.. input.Grad.Values], [.. w.Grad.Values], [.. b.Grad.Values]);
        }
    }

    private static Tensor Filled(int rows, int columns, ulong seed)
    {
        var values = new float[rows * columns];
        new RandomStream(seed).FillNormal(values, 1);
        return new Tensor([rows, columns], values);
    }
}
