using System.Runtime.Intrinsics;

namespace GradScope.Operations;

/// <summary>Functions of 16 floats at a time that the runtime does not bring, to within a few units in the last place.</summary>
internal static class VectorMath
{
    /// <summary>tanh x: for |x| &lt; 0.625 an odd polynomial (Moshier's Cephes, tanhf), else 1 − 2/(e^(2|x|) + 1) with x's sign.</summary>
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
        var large = Vector512<float>.One - Vector512.Create(2f) / (Vector512.Exp(magnitude + magnitude) + Vector512<float>.One);
        return Vector512.ConditionalSelect(
            Vector512.LessThan(magnitude, Vector512.Create(0.625f)), small, Vector512.CopySign(large, x));
    }

    /// <summary>erf x to 1.5·10⁻⁷ absolute (Abramowitz and Stegun 1964, 7.1.26).</summary>
    public static Vector512<float> Erf(Vector512<float> x)
    {
        var magnitude = Vector512.Abs(x);
        var t = Vector512<float>.One / Vector512.FusedMultiplyAdd(Vector512.Create(0.3275911f), magnitude, Vector512<float>.One);
        var polynomial = Vector512.Create(1.061405429f);
        polynomial = Vector512.FusedMultiplyAdd(polynomial, t, Vector512.Create(-1.453152027f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, t, Vector512.Create(1.421413741f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, t, Vector512.Create(-0.284496736f));
        polynomial = Vector512.FusedMultiplyAdd(polynomial, t, Vector512.Create(0.254829592f));
        return Vector512.CopySign(Vector512<float>.One - polynomial * t * Vector512.Exp(-(x * x)), x);
    }
}
