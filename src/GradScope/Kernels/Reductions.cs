using System.Runtime.CompilerServices;
using System.Numerics.Tensors;

namespace GradScope;

/// <summary>Sums that decide a printed digit: in float32 over short stretches, in double over those.</summary>
internal static class Reductions
{
    private const int Stretch = 512;

    /// <summary>Σ x²; −∞, which is what a masked score holds, counts as nothing.</summary>
    public static double SumOfSquares(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        while (!values.IsEmpty)
        {
            var part = values[..Math.Min(Stretch, values.Length)];
            var squares = TensorPrimitives.SumOfSquares(part);
            sum += float.IsPositiveInfinity(squares) ? OfUnmasked(part) : squares;
            values = values[part.Length..];
        }

        return sum;
    }

    /// <summary>The sum of the rows, each of the target's length; added to the target where it accumulates.</summary>
    public static void SumRows(Buffer rows, Buffer target, bool accumulate) => Lanes.For(
        new RowSum(rows, target, accumulate), (target.Length + RowSum.Stretch - 1) / RowSum.Stretch, rows.Length / 8);

    private static double OfUnmasked(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var x in values)
        {
            sum += float.IsNegativeInfinity(x) ? 0 : (double)x * x;
        }

        return sum;
    }

    /// <summary>Each stretch of columns is summed over all rows in their order, so that two threads add as one does.</summary>
    private readonly unsafe struct RowSum(Buffer rows, Buffer target, bool accumulate) : ILanesJob
    {
        public const int Stretch = 32;

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var columns = target.Length;
            fixed (float* start = rows.Span, result = target.Span)
            {
                for (var j = from * Stretch; j < Math.Min(to * Stretch, columns); j += TLanes.Width)
                {
                    var count = Math.Min(TLanes.Width, columns - j);
                    var sum = accumulate ? TLanes.LoadFirst(result + j, count) : default;
                    for (var row = start + j; row < start + rows.Length; row += columns)
                    {
                        sum += TLanes.LoadFirst(row, count);
                    }

                    sum.StoreFirst(result + j, count);
                }
            }
        }
    }
}
