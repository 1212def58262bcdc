using System.Runtime.Intrinsics;
using GradScope.Operations;

namespace GradScope.Tests;

/// <summary>Functions of vectors, lane by lane, against double precision over their whole range.</summary>
public class VectorMathTests
{
    [Fact]
    public void Exp_is_within_a_few_units_in_the_last_place_and_right_at_the_ends()
    {
        for (var x = -87.2f; x < 88.6f; x += 0.0137f)
        {
            var expected = Math.Exp(x);
            Assert.True(Math.Abs(Lane(VectorMath.Exp, x) - expected) <= 3e-7 * expected, $"exp({x})");
        }

        Assert.Equal(1, Lane(VectorMath.Exp, 0));
        Assert.Equal(0, Lane(VectorMath.Exp, float.NegativeInfinity));
        Assert.Equal(0, Lane(VectorMath.Exp, -1000));
        Assert.Equal(float.PositiveInfinity, Lane(VectorMath.Exp, 89));
        Assert.Equal(float.PositiveInfinity, Lane(VectorMath.Exp, float.PositiveInfinity));
        Assert.True(float.IsNaN(Lane(VectorMath.Exp, float.NaN)));
    }

    [Fact]
    public void Tanh_keeps_its_relative_exactness_down_to_nothing()
    {
        for (var x = 1e-6f; x < 12; x *= 1.003f)
        {
            var expected = Math.Tanh(x);
            Assert.True(Math.Abs(Lane(VectorMath.Tanh, x) - expected) <= 3e-7 * expected, $"tanh({x})");
            Assert.Equal(-Lane(VectorMath.Tanh, x), Lane(VectorMath.Tanh, -x));
        }

        Assert.Equal(1, Lane(VectorMath.Tanh, 100));
        Assert.True(float.IsNaN(Lane(VectorMath.Tanh, float.NaN)));
    }

    private static float Lane(Func<Vector512<float>, Vector512<float>> function, float x) => function(Vector512.Create(x))[3];
}
