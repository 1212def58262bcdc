using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GradScope;

/// <summary>
/// As many floats as one instruction takes: row operations are written once over it, for each width of vector. What it tells of
/// order holds a mask: lanes with all bits set where it is true, else with none.
/// </summary>
internal unsafe interface ILanes<TSelf> : ITileVector<TSelf> where TSelf : struct, ILanes<TSelf>
{
    /// <summary>The number in every lane.</summary>
    static abstract implicit operator TSelf(float value);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf x);

    /// <summary>Bit by bit: a where the mask b is set, else 0.</summary>
    static abstract TSelf operator &(TSelf a, TSelf b);

    /// <summary>A mask of the first <paramref name="count"/> lanes.</summary>
    static abstract TSelf First(int count);

    /// <summary>A mask of the lanes where a &lt; b; NaN is not less than anything.</summary>
    static abstract TSelf Less(TSelf a, TSelf b);

    /// <summary>a where the mask is set, else b.</summary>
    static abstract TSelf Select(TSelf mask, TSelf a, TSelf b);

    static abstract TSelf Abs(TSelf x);

    static abstract TSelf Sqrt(TSelf x);

    static abstract TSelf Log(TSelf x);

    /// <summary>To the nearest whole number; from the middle to the even one.</summary>
    static abstract TSelf Round(TSelf x);

    /// <summary>The larger; NaN where b is. Where a alone is NaN, machines differ.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>The smaller; NaN where b is. Where a alone is NaN, machines differ.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    static abstract TSelf CopySign(TSelf x, TSelf sign);

    /// <summary>a·b + c, rounded once where the machine can.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>x·2ⁿ for whole n, where neither x nor that is 0, infinite or too small to be exact; NaN where x is.</summary>
    static abstract TSelf ScaleB(TSelf x, TSelf n);

    /// <summary>
    /// Stores past the caches, where the other core has read what stood there: it need not be asked to give each line up, one after the
    /// other. The target is aligned to the vector; <see cref="Thread.MemoryBarrier"/> is due before anyone is told that it is there.
    /// </summary>
    void StoreAround(float* target);

    float Sum();

    /// <summary>The largest lane; NaN where one is.</summary>
    float Largest();
}

/// <summary>An <see cref="IJob"/> written over lanes of any width.</summary>
internal interface ILanesJob
{
    /// <summary>As <see cref="IJob.Run"/>, on vectors of that width.</summary>
    /// <remarks>
    /// Implemented with AggressiveOptimization and NoInlining: it is hot from a training's first step on, and inlined into what tiered
    /// compilation profiles, GELU's backward was measured five times slower.
    /// </remarks>
    void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>;
}

/// <summary>Which width of vector is used.</summary>
internal static class Lanes
{
    /// <summary>Floats at once: 16 (AVX-512), 8 (AVX2 with FMA), 4 (NEON, SSE) or 1; the most this machine has, unless a test sets fewer.</summary>
    public static int Width { get; set; } =
        Avx512F.IsSupported ? 16 : Fma.IsSupported ? 8 : Vector128.IsHardwareAccelerated ? 4 : 1;

    /// <summary>Runs the job over [0, count) as <see cref="Workers.For"/> does.</summary>
    public static void For<TJob>(TJob job, int count, long cost, bool even = true) where TJob : struct, ILanesJob
    {
        var widest = new Widest<TJob>(job);
        Workers.For(ref widest, count, cost, even: even);
    }

    /// <summary>Runs it on this thread.</summary>
    public static void Run<TJob>(TJob job, int count) where TJob : struct, ILanesJob => new Widest<TJob>(job).Run(0, count);

    private readonly struct Widest<TJob>(TJob job) : IJob where TJob : struct, ILanesJob
    {
        public void Run(int from, int to)
        {
            switch (Width)
            {
                case 16:
                    job.Run<Wide512>(from, to);
                    break;
                case 8:
                    job.Run<Wide256>(from, to);
                    break;
                case 4:
                    job.Run<Wide128>(from, to);
                    break;
                default:
                    job.Run<Scalar>(from, to);
                    break;
            }
        }
    }
}
