using System.Runtime.Intrinsics.X86;

namespace GradScope.Tests.Kernels;

public unsafe class LanesTests
{
    /// <summary>The widths this machine can run, in floats; 1 and 4 run everywhere.</summary>
    public static TheoryData<int> Widths()
    {
        var widths = new TheoryData<int> { 1, 4 };
        if (Fma.IsSupported) widths.Add(8);
        if (Avx512F.IsSupported) widths.Add(16);
        return widths;
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Partial_loads_and_stores_touch_only_the_first_lanes(int width) => On(width, new PartialLoads());

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_largest_lane_is_found_wherever_it_is_and_a_sum_has_all_lanes(int width) => On(width, new Extremes());

    [Theory]
    [MemberData(nameof(Widths))]
    public void Masks_tell_less_from_equal_and_from_NaN(int width) => On(width, new Masks());

    [Theory]
    [MemberData(nameof(Widths))]
    public void The_larger_and_the_smaller_are_NaN_where_the_second_is(int width) => On(width, new Order());

    [Theory]
    [MemberData(nameof(Widths))]
    public void What_is_stored_around_the_caches_is_there_after_a_barrier(int width) => On(width, new StoresAround());

    /// <summary>Runs the job once, on vectors of that width whatever others this machine has.</summary>
    internal static void On(int width, ILanesJob job)
    {
        switch (width)
        {
            case 16:
                job.Run<Wide512>(0, 1);
                break;
            case 8:
                job.Run<Wide256>(0, 1);
                break;
            case 4:
                job.Run<Wide128>(0, 1);
                break;
            default:
                job.Run<Scalar>(0, 1);
                break;
        }
    }

    internal static float[] Values<TLanes>(TLanes lanes) where TLanes : struct, ILanes<TLanes>
    {
        var values = new float[TLanes.Width];
        fixed (float* target = values) lanes.Store(target);
        return values;
    }

    private readonly struct PartialLoads : ILanesJob
    {
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var source = Enumerable.Range(1, 16).Select(i => (float)i).ToArray();
            for (var count = 0; count <= TLanes.Width; count++)
            {
                var target = Enumerable.Repeat(-1f, 16).ToArray();
                fixed (float* start = source, result = target)
                {
                    var loaded = Values(TLanes.LoadFirst(start, count));
                    for (var i = 0; i < TLanes.Width; i++) Assert.Equal(i < count ? source[i] : 0, loaded[i]);

                    TLanes.Load(start).StoreFirst(result, count);
                }

                for (var i = 0; i < 16; i++) Assert.Equal(i < count ? source[i] : -1, target[i]);
            }
        }
    }

    private readonly struct Extremes : ILanesJob
    {
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            for (var lane = 0; lane < TLanes.Width; lane++)
            {
                foreach (var special in new[] { -2, float.NaN })
                {
                    var values = Enumerable.Repeat(-3f, 16).ToArray();
                    values[lane] = special;
                    fixed (float* start = values)
                    {
                        Assert.Equal(special, TLanes.Load(start).Largest());
                        Assert.Equal(special - 3 * (TLanes.Width - 1), TLanes.Load(start).Sum());
                    }
                }
            }
        }
    }

    private readonly struct Order : ILanesJob
    {
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            Assert.All(Values(TLanes.Max(-1, 2)), x => Assert.Equal(2, x));
            Assert.All(Values(TLanes.Max(2, -1)), x => Assert.Equal(2, x));
            Assert.All(Values(TLanes.Min(-1, 2)), x => Assert.Equal(-1, x));
            Assert.All(Values(TLanes.Min(2, -1)), x => Assert.Equal(-1, x));
            Assert.All(Values(TLanes.Max(1, float.NaN)), x => Assert.True(float.IsNaN(x)));
            Assert.All(Values(TLanes.Min(1, float.NaN)), x => Assert.True(float.IsNaN(x)));
            Assert.All(Values(TLanes.Max(float.NegativeInfinity, float.NegativeInfinity)), x => Assert.Equal(float.NegativeInfinity, x));
        }
    }

    private readonly struct StoresAround : ILanesJob
    {
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var target = Arena.NewBuffer(2 * Buffer.Block);
            fixed (float* start = target.Span)
            {
                ((TLanes)3f).StoreAround(start + Buffer.Block);
            }

            Thread.MemoryBarrier();
            Assert.Equal(Enumerable.Repeat(3f, TLanes.Width), target.Span.Slice(Buffer.Block, TLanes.Width).ToArray());
            Assert.All(target.Span[..Buffer.Block].ToArray(), x => Assert.Equal(0, x));
        }
    }

    private readonly struct Masks : ILanesJob
    {
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            float[] ordered = [float.NegativeInfinity, -1, 0, float.Epsilon, 1, float.PositiveInfinity, float.NaN];
            foreach (var a in ordered)
            {
                foreach (var b in ordered)
                {
                    Assert.All(Values(TLanes.Select(TLanes.Less(a, b), 1f, 2f)), x => Assert.Equal(a < b ? 1 : 2, x));
                    Assert.All(Values((TLanes)5f & TLanes.Less(a, b)), x => Assert.Equal(a < b ? 5 : 0, x));
                }
            }
        }
    }
}
