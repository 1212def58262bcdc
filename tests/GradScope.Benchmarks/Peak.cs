using System.Runtime.CompilerServices;

namespace GradScope.Benchmarks;

/// <summary>
/// What this machine can do at most: twelve independent chains of fused multiplications and additions in registers.
/// </summary>
internal static unsafe class Peak
{
    private const int Rounds = 20_000;
    private const int Chains = 12;

    /// <summary>How often both cores run the chains together, so that a slower one can do fewer.</summary>
    private const int Shared = 16;

    public static double Flops => 2.0 * Rounds * Chains * Lanes.Width;

    public static double FlopsOfTwoCores => Shared * Flops;

    public static void OneCore() => Lanes.Run(new Chain(), 1);

    public static void TwoCores()
    {
        var job = new Job();
        Workers.For(ref job, Shared, long.MaxValue);
    }

    private readonly struct Chain : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run<TVector>(int from, int to) where TVector : struct, ILanes<TVector>
        {
            var factor = 0.999f;
            TVector b = default;
            TVector c0 = b, c1 = b, c2 = b, c3 = b, c4 = b, c5 = b, c6 = b, c7 = b, c8 = b, c9 = b, c10 = b, c11 = b;
            for (var i = 0; i < Rounds; i++)
            {
                c0.AddProduct(&factor, b);
                c1.AddProduct(&factor, b);
                c2.AddProduct(&factor, b);
                c3.AddProduct(&factor, b);
                c4.AddProduct(&factor, b);
                c5.AddProduct(&factor, b);
                c6.AddProduct(&factor, b);
                c7.AddProduct(&factor, b);
                c8.AddProduct(&factor, b);
                c9.AddProduct(&factor, b);
                c10.AddProduct(&factor, b);
                c11.AddProduct(&factor, b);
            }

            c0.Add(c1);
            c2.Add(c3);
            c4.Add(c5);
            c6.Add(c7);
            c8.Add(c9);
            c10.Add(c11);
            c0.Add(c2);
            c4.Add(c6);
            c8.Add(c10);
            c0.Add(c4);
            c0.Add(c8);
            var kept = stackalloc float[TVector.Width];
            c0.Store(kept);
        }
    }

    private struct Job : IJob
    {
        public readonly void Run(int from, int to)
        {
            for (var i = from; i < to; i++) OneCore();
        }
    }
}
