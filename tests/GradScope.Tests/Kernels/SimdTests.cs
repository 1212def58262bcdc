using System.Runtime.Intrinsics;

namespace GradScope.Tests.Kernels;

public unsafe class SimdTests
{
    [Fact]
    public void Partial_loads_and_stores_touch_only_the_first_lanes()
    {
        var source = Enumerable.Range(1, 16).Select(i => (float)i).ToArray();
        for (var count = 0; count <= 16; count++)
        {
            var target = Enumerable.Repeat(-1f, 16).ToArray();
            fixed (float* from = source, to = target)
            {
                var loaded = Simd.LoadFirst(from, count);
                for (var i = 0; i < 16; i++) Assert.Equal(i < count ? source[i] : 0, loaded[i]);

                Simd.StoreFirst(Vector512.Load(from), to, count);
            }

            for (var i = 0; i < 16; i++) Assert.Equal(i < count ? source[i] : -1, target[i]);
        }
    }

    [Fact]
    public void Max_finds_the_largest_lane_wherever_it_is()
    {
        for (var lane = 0; lane < 16; lane++)
        {
            Assert.Equal(-2, Simd.Max(Vector512.Create(-3f).WithElement(lane, -2)));
            Assert.Equal(float.NaN, Simd.Max(Vector512.Create(-3f).WithElement(lane, float.NaN)));
        }
    }

    [Fact]
    public void Sum_keeps_what_float_would_lose()
    {
        for (var length = 0; length < 70; length++)
        {
            var row = Enumerable.Range(0, length).Select(i => i % 2 == 0 ? 1e8f : 1f).ToArray();
            Assert.Equal(row.Sum(x => (double)x), Simd.Sum(row));
        }
    }
}
