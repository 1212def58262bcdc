using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

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

    /// <summary>target += the sum of the rows, each of the target's length.</summary>
    public static unsafe void AddRows(ReadOnlySpan<float> rows, Span<float> target)
    {
        var columns = target.Length;
        fixed (float* start = rows, result = target)
        {
            for (var j = 0; j < columns; j += Vector512<float>.Count)
            {
                var count = Math.Min(Vector512<float>.Count, columns - j);
                var sum = Simd.LoadFirst(result + j, count);
                for (var row = start + j; row < start + rows.Length; row += columns)
                {
                    sum += Simd.LoadFirst(row, count);
                }

                Simd.StoreFirst(sum, result + j, count);
            }
        }
    }

    private static double OfUnmasked(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var x in values)
        {
            sum += float.IsNegativeInfinity(x) ? 0 : (double)x * x;
        }

        return sum;
    }
}
