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

    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public void The_normal_distribution_is_summed_right_and_ends_as_exactly_0_and_1(int width) => LanesTests.On(width, new Normals());

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

    private readonly struct Normals : ILanesJob
    {
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            const double Step = 1.0 / 1024;
            var sum = 0.5;
            for (var x = 0.0; x < 8; x += Step)
            {
                Assert.Equal(sum, Last(VectorMath.Normal<TLanes>((float)x)), 3e-7);
                Assert.Equal(1 - sum, Last(VectorMath.Normal<TLanes>((float)-x)), 3e-7);
                sum += Step / 6 * (Density(x) + 4 * Density(x + Step / 2) + Density(x + Step));
            }

            foreach (var far in new[] { 5.4f, 6, 1000, float.PositiveInfinity })
            {
                Assert.Equal((1, 0), (Last(VectorMath.Normal<TLanes>(far)), Last(VectorMath.Normal<TLanes>(-far))));
            }

            Assert.True(float.IsNaN(Last(VectorMath.Normal<TLanes>(float.NaN))));
        }

        private static double Density(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
    }
}
