using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>Sums that decide a printed digit: in float32 over short stretches, in double over those.</summary>
internal static class Reductions
{
    /// <summary>
    /// Rows that an operation goes through together, step by step: what one row must wait for, the end of a sum, a root or a quotient,
    /// the others fill.
    /// </summary>
    public const int RowsAtOnce = 8;

    private const int Stretch = 512;

    /// <summary>Σ x²; infinite or NaN where a number is.</summary>
    public static double SumOfSquares(ReadOnlySpan<float> values) => SumOfSquares(values, ofUnmasked: false);

    /// <summary>Σ x² of an operation's value, where −∞ is what a masked score holds and counts as nothing.</summary>
    public static double SumOfUnmaskedSquares(ReadOnlySpan<float> values) => SumOfSquares(values, ofUnmasked: true);

    /// <summary>
    /// The sum of some rows, each of the target's length, from the first up to but without the last; added to the target where it
    /// accumulates. On this thread: what two threads sum is a <see cref="HalvedSum"/>.
    /// </summary>
    public static void SumRows(Buffer rows, int first, int end, Buffer target, bool accumulate)
    {
        if (!accumulate) target.Span.Clear();
        Lanes.Run(new RowSum(rows, first, end, target), 1);
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

    private readonly unsafe struct RowSum(Buffer rows, int first, int end, Buffer sum) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            fixed (float* start = rows.Span, target = sum.Span)
            {
                AddRows<TLanes>(start + first * sum.Length, end - first, sum.Length, target);
            }
        }
    }

    /// <summary>target += each of the rows, which follow one another; four vectors of it at a time stay in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void AddRows<TLanes>(float* rows, int count, int length, float* target) where TLanes : struct, ILanes<TLanes>
    {
        var width = TLanes.Width;
        var j = 0;
        for (; j <= length - 4 * width; j += 4 * width) AddColumns<TLanes>(rows + j, count, length, target + j, width, width, width, width);
        for (; j < length; j += width) AddColumns<TLanes>(rows + j, count, length, target + j, Math.Min(width, length - j), 0, 0, 0);
    }

    /// <summary>Columns of the rows, so many in each of four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void AddColumns<TLanes>(float* rows, int count, int length, float* target, int n0, int n1, int n2, int n3)
        where TLanes : struct, ILanes<TLanes>
    {
        var s0 = TLanes.LoadFirst(target, n0);
        var s1 = TLanes.LoadFirst(target + TLanes.Width, n1);
        var s2 = TLanes.LoadFirst(target + 2 * TLanes.Width, n2);
        var s3 = TLanes.LoadFirst(target + 3 * TLanes.Width, n3);
        for (var row = 0; row < count; row++, rows += length)
        {
            s0 += TLanes.LoadFirst(rows, n0);
            s1 += TLanes.LoadFirst(rows + TLanes.Width, n1);
            s2 += TLanes.LoadFirst(rows + 2 * TLanes.Width, n2);
            s3 += TLanes.LoadFirst(rows + 3 * TLanes.Width, n3);
        }

        s0.StoreFirst(target, n0);
        s1.StoreFirst(target + TLanes.Width, n1);
        s2.StoreFirst(target + 2 * TLanes.Width, n2);
        s3.StoreFirst(target + 3 * TLanes.Width, n3);
    }
}
