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
        var random = new RandomStream(1);
        var (x, weight, factors) = (Filled(rows, 20), Filled(20, columns), Filled(rows, columns));
        foreach (var uses in new[] { 1, 2 })
        {
            var (ofX, ofWeight, ofBias) = Alone.WithThreads(1, Gradients);
            var two = Alone.WithThreads(2, Gradients);
            Assert.Equal(ofX, two.X);
            Assert.Equal(ofWeight, two.Weight);
            Assert.Equal(ofBias, two.Bias);
            for (var j = 0; j < columns; j++)
            {
                Assert.Equal(uses * Enumerable.Range(0, rows).Sum(i => (double)factors[i, j]), ofBias[j], 1e-4);
                for (var k = 0; k < 20; k++)
                {
                    Assert.Equal(uses * Enumerable.Range(0, rows).Sum(i => (double)x[i, k] * factors[i, j]), ofWeight[k * columns + j], 2e-4);
                }
            }

            (float[] X, float[] Weight, float[] Bias) Gradients()
            {
                var tape = new Tape();
                var (input, w, b) = (tape.Variable(x), tape.Variable(weight), tape.Variable(new Tensor([columns], new float[columns])));
                var y = tape.Constant(factors);
                var loss = (input.Linear(w, b) * y).Sum();
                if (uses == 2) loss += (input.Linear(w, b) * y).Sum();
                tape.Backward(loss);
                return ([.. input.Grad.Values], [.. w.Grad.Values], [.. b.Grad.Values]);
            }
        }

        Tensor Filled(int rows, int columns)
        {
            var values = new float[rows * columns];
            random.FillNormal(values, 1);
            return new Tensor([rows, columns], values);
        }
    }
}
