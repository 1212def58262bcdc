namespace GradScope.Tests.Kernels;

public class ReductionsTests
{
    /// <summary>Lengths within, at and beyond a stretch and a vector; masks in the pattern of a causal row, and numbers whose squares float32 cannot hold.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(7, false)]
    [InlineData(37, true)]
    [InlineData(512, false)]
    [InlineData(1031, false)]
    [InlineData(1031, true)]
    public void Squares_are_summed_without_what_is_masked(int length, bool huge)
    {
        var values = new float[length];
        new RandomStream(2).FillNormal(values, huge ? 1e25f : 1);
        var expected = 0.0;
        for (var i = 0; i < length; i++)
        {
            if (i % 3 == 2) values[i] = float.NegativeInfinity;
            else expected += (double)values[i] * values[i];
        }

        Assert.Equal(expected, Reductions.SumOfUnmaskedSquares(values), 1e-5 * expected);
        Assert.Equal(length > 2 ? double.PositiveInfinity : expected, Reductions.SumOfSquares(values), 1e-5 * expected);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void What_is_no_mask_is_not_passed_over(float broken)
    {
        var values = new float[600];
        (values[3], values[555]) = (float.NegativeInfinity, broken);
        Assert.False(double.IsFinite(Reductions.SumOfUnmaskedSquares(values)));
    }
}
