using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>Sums that decide a printed digit: in float32 over short stretches, in double over those.</summary>
internal static class Reductions
{
    private const int Stretch = 512;

    /// <summary>Σ x²; infinite or NaN where a number is.</summary>
    public static double SumOfSquares(ReadOnlySpan<float> values) => SumOfSquares(values, ofUnmasked: false);

    /// <summary>Σ x² of an operation's value, where −∞ is what a masked score holds and counts as nothing.</summary>
    public static double SumOfUnmaskedSquares(ReadOnlySpan<float> values) => SumOfSquares(values, ofUnmasked: true);

    /// <summary>The sum of the rows, each of the target's length; added to the target where it accumulates.</summary>
    public static unsafe void SumRows(Buffer rows, Buffer target, bool accumulate)
    {
        var sum = new HalvedSum(target.Length);
        Lanes.For(new RowSum(rows, sum), 2, rows.Length / 4);
        sum.AddUp(target, accumulate);
    }

    private static double SumOfSquares(ReadOnlySpan<float> values, bool ofUnmasked)
    {
        Span<float> unmasked = stackalloc float[ofUnmasked ? Stretch : 0];
        var sum = 0.0;
        while (!values.IsEmpty)
        {
            scoped var part = values[..Math.Min(Stretch, values.Length)];
            values = values[part.Length..];
            var squares = TensorPrimitives.SumOfSquares(part);
            if (ofUnmasked && float.IsPositiveInfinity(squares))
            {
                Unmask(part, unmasked);
                part = unmasked[..part.Length];
                squares = TensorPrimitives.SumOfSquares(part);
            }

            sum += float.IsPositiveInfinity(squares) ? InDouble(part) : squares;
        }

        return sum;
    }

    /// <summary>0 for −∞; without a branch, which half of a causal row would take and half not.</summary>
    private static void Unmask(ReadOnlySpan<float> source, Span<float> target)
    {
        var i = 0;
        for (; i <= source.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var x = new Vector<float>(source[i..]);
            Vector.ConditionalSelect(Vector.Equals(x, new(float.NegativeInfinity)), Vector<float>.Zero, x).CopyTo(target[i..]);
        }

        for (; i < source.Length; i++) target[i] = float.IsNegativeInfinity(source[i]) ? 0 : source[i];
    }

    /// <summary>Where float32 overflows: double holds any float32's square.</summary>
    private static double InDouble(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var x in values) sum += (double)x * x;
        return sum;
    }

    private readonly unsafe struct RowSum(Buffer rows, HalvedSum sum) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            fixed (float* start = rows.Span)
            {
                for (var half = from; half < to; half++)
                {
                    var target = sum.Begin(half);
                    var (first, end) = HalvedSum.Range(half, rows.Length / sum.Length);
                    for (var row = first; row < end; row++)
                    {
                        Add<TLanes>(start + row * sum.Length, target, sum.Length);
                    }
                }
            }
        }
    }

    /// <summary>target += row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Add<TLanes>(float* row, float* target, int length) where TLanes : struct, ILanes<TLanes>
    {
        for (var j = 0; j < length; j += TLanes.Width)
        {
            var count = Math.Min(TLanes.Width, length - j);
            (TLanes.LoadFirst(target + j, count) + TLanes.LoadFirst(row + j, count)).StoreFirst(target + j, count);
        }
    }
}
