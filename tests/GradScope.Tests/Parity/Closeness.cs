using System.Globalization;

namespace GradScope.Tests.Parity;

/// <summary>
/// ‖received − expected‖ ≤ 1e-5·‖expected‖ + 1e-7, over what no mask hides. Float32 rounds to 6e-8 of a value and the
/// longest sums here have some hundred terms, so correct code stays below 1e-5 of the norm; the 1e-7 is for tensors
/// that are exactly zero in theory, such as the gradient of a key bias.
/// </summary>
internal static class Closeness
{
    private const double Relative = 1e-5, Absolute = 1e-7;

    /// <summary>
    /// Fails with the worst element if the tensors differ; else returns ‖received − expected‖ / ‖expected‖, or 0 for a
    /// tensor that vanishes beside the absolute tolerance.
    /// </summary>
    public static double Check(string what, Tensor received, ReferenceTensor expected)
    {
        Assert.True(received.Shape == new Shape(expected.Shape), $"{what}: received shape {received.Shape}, expected {new Shape(expected.Shape)}.");
        double difference = 0, norm = 0, largest = -1;
        var worst = 0;
        for (var i = 0; i < received.Length; i++)
        {
            if (expected.Values[i] is not { } value)
            {
                continue;
            }

            var error = float.IsFinite(received.Values[i]) ? Math.Abs(received.Values[i] - value) : double.PositiveInfinity;
            difference += error * error;
            norm += value * value;
            if (error > largest)
            {
                (largest, worst) = (error, i);
            }
        }

        (difference, norm) = (Math.Sqrt(difference), Math.Sqrt(norm));
        var allowed = Relative * norm + Absolute;
        Assert.True(difference <= allowed, string.Create(CultureInfo.InvariantCulture,
            $"{what}: ‖received − expected‖ = {difference:g3}, allowed {allowed:g3}; worst at {Index(worst, received.Shape)}: received {received.Values[worst]:g9}, expected {expected.Values[worst]:g9}."));
        return norm > Absolute ? difference / norm : 0;
    }

    private static string Index(int flat, Shape shape)
    {
        var index = new int[shape.Rank];
        for (var axis = shape.Rank - 1; axis >= 0; axis--)
        {
            (flat, index[axis]) = Math.DivRem(flat, shape[axis]);
        }

        return $"[{string.Join(", ", index)}]";
    }
}
