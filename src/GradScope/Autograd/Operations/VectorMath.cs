using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace GradScope.Operations;

/// <summary>Functions of 16 floats at a time that the runtime does not bring, to within a few units in the last place.</summary>
internal static class VectorMath
{
    /// <summary>
    /// eˣ to 2·10⁻⁷ relative, in float32 alone, which is what makes it faster than the runtime's: x = n·ln 2 + r, |r| ≤ ½ ln 2, and
    /// eˣ = 2ⁿ·eʳ, eʳ by a polynomial of degree 6 (Moshier's Cephes, expf). Below −87.3 it is 0, above 88.7 it is ∞.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        var within = Vector512.Min(Vector512.Max(x, Vector512.Create(-87.3f)), Vector512.Create(88.7f));
        var n = Vector512.Round(within * Vector512.Create(1.44269504f));
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), within);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        var polynomial = Vector512.Create(1.9875691500e-4f);
        polynomial = Vector512.FusedMultiplyAdd(polynomial, r, Vector512.Create(1.3981999507e-3f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, r, Vector512.Create(8.3334519073e-3f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, r, Vector512.Create(4.1665795894e-2f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, r, Vector512.Create(1.6666665459e-1f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, r, Vector512.Create(5.0000001201e-1f));
        var power = Vector512.FusedMultiplyAdd(polynomial * r, r, r) + Vector512<float>.One;

        // 2ⁿ in two halves, since 2¹²⁸ itself is no float32.
        var whole = Vector512.ConvertToInt32(n);
        var half = whole >> 1;
        var result = power * TwoTo(half) * TwoTo(whole - half);
        result = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(-87.3f)), Vector512<float>.Zero, result);
        return Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512.Create(88.7f)), Vector512.Create(float.PositiveInfinity), result);

        static Vector512<float> TwoTo(Vector512<int> n) => ((n + Vector512.Create(127)) << 23).AsSingle();
    }

    /// <summary>tanh x: for |x| &lt; 0.625 an odd polynomial (Moshier's Cephes, tanhf), else 1 − 2/(e^(2|x|) + 1) with x's sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        var magnitude = Vector512.Abs(x);
        var z = x * x;
        var polynomial = Vector512.Create(-5.70498872745e-3f);
        polynomial = Vector512.FusedMultiplyAdd(polynomial, z, Vector512.Create(2.06390887954e-2f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, z, Vector512.Create(-5.37397155531e-2f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, z, Vector512.Create(1.33314422036e-1f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, z, Vector512.Create(-3.33332819422e-1f));
        var small = Vector512.FusedMultiplyAdd(polynomial * z, x, x);
        var large = Vector512<float>.One - Vector512.Create(2f) / (Exp(magnitude + magnitude) + Vector512<float>.One);
        return Vector512.ConditionalSelect(
            Vector512.LessThan(magnitude, Vector512.Create(0.625f)), small, Vector512.CopySign(large, x));
    }

    /// <summary>
    /// The normal distribution function Φ(x) = ½(1 + erf(x/√2)), erf to 1.5·10⁻⁷ absolute (Abramowitz and Stegun 1964, 7.1.26), and
    /// the bell e^(−x²/2) that it is made of.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Normal(Vector512<float> x, out Vector512<float> bell)
    {
        bell = Exp(Vector512.Create(-0.5f) * x * x);
        var magnitude = Vector512.Abs(x) * Vector512.Create(0.7071067812f);
        var t = Vector512<float>.One / Vector512.FusedMultiplyAdd(Vector512.Create(0.3275911f), magnitude, Vector512<float>.One);
        var polynomial = Vector512.Create(1.061405429f);
        polynomial = Vector512.FusedMultiplyAdd(polynomial, t, Vector512.Create(-1.453152027f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, t, Vector512.Create(1.421413741f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, t, Vector512.Create(-0.284496736f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, t, Vector512.Create(0.254829592f));
        var erf = Vector512.CopySign(Vector512<float>.One - polynomial * t * bell, x);
        return Vector512.Create(0.5f) * (Vector512<float>.One + erf);
    }
}
