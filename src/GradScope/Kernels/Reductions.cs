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
