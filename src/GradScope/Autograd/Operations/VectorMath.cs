using System.Runtime.CompilerServices;

namespace GradScope.Operations;

/// <summary>Functions of vectors that the runtime does not bring, to within a few units in the last place.</summary>
internal static class VectorMath
{
    /// <summary>
    /// eˣ to 2·10⁻⁷ relative, in float32 alone, which is what makes it faster than the runtime's: x = n·ln 2 + r, |r| ≤ ½ ln 2, and
    /// eˣ = 2ⁿ·eʳ, eʳ by a polynomial of degree 6 (Moshier's Cephes, expf). Below −87.3 it is 0, above 88.7 it is ∞.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x) where T : struct, ILanes<T> =>
        T.Select(T.Less(88.7f, x), float.PositiveInfinity, ExpOfNegative(T.Min(88.7f, x)));

    /// <summary>The same where x is known to be no larger than that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpOfNegative<T>(T x) where T : struct, ILanes<T>
    {
        var within = T.Max(-87.3f, x);
        var n = T.Round(within * 1.44269504f);
        var r = T.MultiplyAdd(n, -0.693359375f, within);
        r = T.MultiplyAdd(n, 2.12194440e-4f, r);
        T polynomial = 1.9875691500e-4f;
        polynomial = T.MultiplyAdd(polynomial, r, 1.3981999507e-3f);
        polynomial = T.MultiplyAdd(polynomial, r, 8.3334519073e-3f);
        polynomial = T.MultiplyAdd(polynomial, r, 4.1665795894e-2f);
        polynomial = T.MultiplyAdd(polynomial, r, 1.6666665459e-1f);
        polynomial = T.MultiplyAdd(polynomial, r, 5.0000001201e-1f);
        return T.Select(T.Less(x, -87.3f), default, T.ScaleB(T.MultiplyAdd(polynomial * r, r, r) + 1, n));
    }

    /// <summary>tanh x: for |x| &lt; 0.625 an odd polynomial (Moshier's Cephes, tanhf), else 1 − 2/(e^(2|x|) + 1) with x's sign.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Tanh<T>(T x) where T : struct, ILanes<T>
    {
        var magnitude = T.Abs(x);
        var z = x * x;
        T polynomial = -5.70498872745e-3f;
        polynomial = T.MultiplyAdd(polynomial, z, 2.06390887954e-2f);
        polynomial = T.MultiplyAdd(polynomial, z, -5.37397155531e-2f);
        polynomial = T.MultiplyAdd(polynomial, z, 1.33314422036e-1f);
        polynomial = T.MultiplyAdd(polynomial, z, -3.33332819422e-1f);
        var small = T.MultiplyAdd(polynomial * z, x, x);
        var large = 1 - 2 / (Exp(magnitude + magnitude) + 1);
        return T.Select(T.Less(magnitude, 0.625f), small, T.CopySign(large, x));
    }

    /// <summary>The bell of the normal distribution, e^(−x²/2), its peak scaled to 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Bell<T>(T x) where T : struct, ILanes<T> => ExpOfNegative(-0.5f * x * x);

    /// <summary>
    /// The normal distribution function Φ(x) = ½(1 + erf(x/√2)), to 3·10⁻⁷ absolute: erf(x/√2) = x·P(x²)/Q(x²), of degree 5 each, fitted
    /// for the least largest error up to 5.4 and beyond a little above 1, so that it ends as exactly 0 or 1 (fit_normal.py).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Normal<T>(T x) where T : struct, ILanes<T>
    {
        var within = T.Max(-5.4f, T.Min(5.4f, x));
        var z = within * within;
        T p = 4.69576236e-8f;
        p = T.MultiplyAdd(p, z, 1.26831919e-5f);
        p = T.MultiplyAdd(p, z, 3.25157802e-4f);
        p = T.MultiplyAdd(p, z, 9.28072631e-3f);
        p = T.MultiplyAdd(p, z, 6.64168522e-2f);
        p = T.MultiplyAdd(p, z, 0.797884703f);
        T q = 1.21788889e-6f;
        q = T.MultiplyAdd(q, z, 7.1804563e-5f);
        q = T.MultiplyAdd(q, z, 1.84924144e-3f);
        q = T.MultiplyAdd(q, z, 2.82837022e-2f);
        q = T.MultiplyAdd(q, z, 0.249907464f);
        q = T.MultiplyAdd(q, z, 1);
        var erf = T.Max(-1, T.Min(1, within * p / q));
        return T.MultiplyAdd(0.5f, erf, 0.5f);
    }

    /// <summary>y = exp(x − max x) / Σ exp(x − max x) over the first <paramref name="allowed"/> of a row's columns, and 0 in the rest.</summary>
    /// <returns>max x and Σ exp(x − max x).</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe (float Max, float Total) Softmax<T>(float* x, float* y, int columns, int allowed) where T : struct, ILanes<T>
    {
        T largest = float.NegativeInfinity;
        var j = 0;
        for (; j <= allowed - T.Width; j += T.Width) largest = T.Max(largest, T.Load(x + j));
        if (j < allowed) largest = T.Max(largest, T.Select(T.First(allowed - j), T.LoadFirst(x + j, allowed - j), largest));
        var max = largest.Largest();
        T shift = max;
        T sum = default;
        for (j = 0; j <= allowed - T.Width; j += T.Width)
        {
            var exponential = ExpOfNegative(T.Load(x + j) - shift);
            exponential.Store(y + j);
            sum += exponential;
        }

        if (j < allowed)
        {
            var exponential = ExpOfNegative(T.LoadFirst(x + j, allowed - j) - shift) & T.First(allowed - j);
            exponential.StoreFirst(y + j, Math.Min(T.Width, columns - j));
            sum += exponential;
        }

        var total = sum.Sum();
        T factor = 1 / total;
        for (j = 0; j < allowed; j += T.Width)
        {
            var count = Math.Min(T.Width, columns - j);
            (T.LoadFirst(y + j, count) * factor).StoreFirst(y + j, count);
        }

        for (; j < columns; j += T.Width) default(T).StoreFirst(y + j, Math.Min(T.Width, columns - j));
        return (max, total);
    }
}
