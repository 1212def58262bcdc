using GradScope.Operations;
using GradScope.Tests.Kernels;

namespace GradScope.Tests;

/// <summary>Functions of vectors of every width against double precision over their whole range.</summary>
public class VectorMathTests
{
    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public void Exp_is_within_a_few_units_in_the_last_place_and_right_at_the_ends(int width) => LanesTests.On(width, new Exponentials());

    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public void Tanh_keeps_its_relative_exactness_down_to_nothing(int width) => LanesTests.On(width, new Tangents());

    private static float Last<TLanes>(TLanes lanes) where TLanes : struct, ILanes<TLanes> => LanesTests.Values(lanes)[^1];

    private readonly struct Exponentials : ILanesJob
    {
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            for (var x = -87.2f; x < 88.6f; x += 0.0137f)
            {
                var expected = Math.Exp(x);
                Assert.True(Math.Abs(Last(VectorMath.Exp<TLanes>(x)) - expected) <= 3e-7 * expected, $"exp({x})");
            }

            Assert.Equal(1, Last(VectorMath.Exp<TLanes>(0)));
            Assert.Equal(0, Last(VectorMath.Exp<TLanes>(float.NegativeInfinity)));
            Assert.Equal(0, Last(VectorMath.Exp<TLanes>(-1000)));
            Assert.Equal(float.PositiveInfinity, Last(VectorMath.Exp<TLanes>(89)));
            Assert.Equal(float.PositiveInfinity, Last(VectorMath.Exp<TLanes>(float.PositiveInfinity)));
            Assert.True(float.IsNaN(Last(VectorMath.Exp<TLanes>(float.NaN))));
        }
    }

    private readonly struct Tangents : ILanesJob
    {
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            for (var x = 1e-6f; x < 12; x *= 1.003f)
            {
                var expected = Math.Tanh(x);
                var y = Last(VectorMath.Tanh<TLanes>(x));
                Assert.True(Math.Abs(y - expected) <= 3e-7 * expected, $"tanh({x})");
                Assert.Equal(-y, Last(VectorMath.Tanh<TLanes>(-x)));
            }

            Assert.Equal(1, Last(VectorMath.Tanh<TLanes>(100)));
            Assert.True(float.IsNaN(Last(VectorMath.Tanh<TLanes>(float.NaN))));
        }
    }
}
