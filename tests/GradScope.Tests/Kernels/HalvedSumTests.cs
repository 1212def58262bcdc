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

    [Theory]
    [InlineData(1, 5)]
    [InlineData(3, 16)]
    [InlineData(700, 33)]
    public void Rows_are_summed_to_the_same_bits_by_one_thread_and_by_two(int rows, int columns)
    {
        var random = new RandomStream(1);
        var values = Filled(rows * columns);
        var before = Filled(columns);

        foreach (var accumulate in new[] { false, true })
        {
            var one = Alone.WithThreads(1, Sum);
            Assert.Equal(one, Alone.WithThreads(2, Sum));
            for (var j = 0; j < columns; j++)
            {
                var expected = Enumerable.Range(0, rows).Sum(i => (double)values.Span[i * columns + j]) + (accumulate ? before.Span[j] : 0);
                Assert.Equal(expected, one[j], 1e-4);
            }

            float[] Sum()
            {
                var target = Arena.NewBuffer(columns);
                before.Span.CopyTo(target.Span);
                Reductions.SumRows(values, target, accumulate);
                return target.Span.ToArray();
            }
        }

        Buffer Filled(int length)
        {
            var buffer = Arena.NewBuffer(length);
            random.FillNormal(buffer.Span, 1);
            return buffer;
        }
    }
}
