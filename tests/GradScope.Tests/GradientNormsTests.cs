using GradScope.Tests.Kernels;

namespace GradScope.Tests;

[Collection(nameof(Alone))]
public class GradientNormsTests
{
    private readonly MiniTransformer model = new(vocabSize: 65, modelDim: 64, heads: 2, contextLength: 8);

    [Fact]
    public void A_parameters_norm_is_the_root_of_its_gradients_squares_with_one_and_with_two_threads()
    {
        new RandomStream(3).FillNormal(model.Store.Grads.Span, 1);
        var norms = new GradientNorms(model.Store);
        var total = norms.Measure();
        var alone = Alone.WithThreads(1, norms.Measure);

        Assert.Equal(total, alone);
        Assert.Equal(-1, norms.Broken);
        var expected = model.Parameters.Select(p => p.GradBuffer.Span.ToArray().Sum(g => (double)g * g)).ToArray();
        Assert.Equal(Math.Sqrt(expected.Sum()), total, 1e-6 * total);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(Math.Sqrt(expected[i]), norms.Values[i], 1e-6 * Math.Sqrt(expected[i]));
        }
    }

    /// <summary>−∞ is a mask among scores alone: in a gradient it is as broken as ∞ and NaN.</summary>
    [Theory]
    [InlineData(float.NegativeInfinity)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NaN)]
    public void A_gradient_that_is_not_finite_is_found(float broken)
    {
        model.Parameters[5].GradBuffer.Span[^1] = broken;
        var norms = new GradientNorms(model.Store);
        Assert.False(double.IsFinite(norms.Measure()));
        Assert.Equal(5, norms.Broken);
    }

    [Fact]
    public void Squares_that_float32_cannot_hold_are_summed_all_the_same()
    {
        model.Parameters[2].GradBuffer.Span[0] = 1e30f;
        Assert.Equal(1e30, new GradientNorms(model.Store).Measure(), 1e24);
    }
}
