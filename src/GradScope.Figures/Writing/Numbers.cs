using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>How numbers look. Everything is invariant: a decimal point whatever the culture, and never "-0".</summary>
internal static class Numbers
{
    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

    /// <summary>A length in a drawing, rounded to a hundredth of a pixel, in as few characters as possible: .5, not 0.5.</summary>
    public static string Coordinate(double value)
    {
        if (!double.IsFinite(value))
        {
            throw new ArgumentOutOfRangeException(nameof(value), "A figure was about to place a mark at NaN or infinity.");
        }

        var rounded = Math.Round(value, 2) + 0.0;
        return rounded == 0 ? "0" : rounded.ToString("#.##", CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// A number to read: 3 significant digits, powers of ten as 4.7·10⁻³, zeros at the end only where the exact number goes on.
    /// Up to 9,999 a whole part is kept whole.
    /// </summary>
    public static string Short(double value)
    {
        if (double.IsNaN(value)) return "NaN";
        if (double.IsInfinity(value)) return value > 0 ? "∞" : "−∞";
        if (value == 0) return "0";

        var sign = value < 0 ? "−" : "";
        var magnitude = Math.Abs(value);
        var exponent = Exponent(magnitude, 3);
        if (exponent is >= -2 and < 4)
        {
            return sign + Digits(magnitude, Math.Max(0, 2 - exponent));
        }

        var mantissa = Digits(magnitude / Math.Pow(10, exponent), 2);
        return mantissa == "1" ? $"{sign}10{Superscript(exponent)}" : $"{sign}{mantissa}·10{Superscript(exponent)}";
    }

    /// <summary>A number with all the digits that float32 has, for tooltips and tables.</summary>
    public static string Exact(float value) => float.IsFinite(value)
        ? (value + 0f).ToString("R", CultureInfo.InvariantCulture).Replace('-', '−')
        : Short(value);

    /// <summary>A number to 7 significant digits, for tooltips and tables.</summary>
    public static string Exact(double value) => double.IsFinite(value)
        ? (value + 0.0).ToString("G7", CultureInfo.InvariantCulture).Replace('-', '−')
        : Short(value);

    /// <summary>The same for a number that may be missing.</summary>
    public static string Exact(double? value) => value is { } x ? Exact(x) : "–";

    /// <summary>A count, with thousands separated: 12,345.</summary>
    public static string Count(int value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A place in a row: 2nd, 3rd, 11th.</summary>
    public static string Ordinal(int value) => Count(value) + (value % 100 is >= 11 and <= 13 ? "th" : (value % 10) switch { 1 => "st", 2 => "nd", 3 => "rd", _ => "th" });

    /// <summary>A share of 1 in per cent, such as 25 %; what is not quite nothing is ≈ 0 %.</summary>
    public static string Percent(double share)
    {
        if (!double.IsFinite(share)) return Short(share);
        if (share != 0 && Math.Abs(share) < 0.0005) return "≈ 0 %";

        var percent = Math.Round(share * 100, Math.Abs(share) < 0.0995 ? 1 : 0) + 0.0;
        return percent.ToString("#,##0.#", CultureInfo.InvariantCulture).Replace('-', '−') + " %";
    }

    /// <summary>10 with an exponent set high: 10⁻³.</summary>
    public static string PowerOfTen(int exponent) => exponent switch { 0 => "1", 1 => "10", _ => "10" + Superscript(exponent) };

    /// <summary>A whole number set high.</summary>
    public static string Superscript(int exponent)
    {
        var text = new StringBuilder();
        if (exponent < 0) text.Append('⁻');
        foreach (var digit in Math.Abs(exponent).ToString(CultureInfo.InvariantCulture))
        {
            text.Append(Superscripts[digit - '0']);
        }

        return text.ToString();
    }

    /// <summary>The power of ten of a positive number after it was rounded to some significant digits: 9.996 is 10¹.</summary>
    private static int Exponent(double magnitude, int digits)
    {
        var scientific = magnitude.ToString("E" + (digits - 1).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        return int.Parse(scientific.AsSpan(scientific.IndexOf('E') + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
    }

    private static string Digits(double magnitude, int decimals)
    {
        var text = magnitude.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var shown = double.Parse(text, CultureInfo.InvariantCulture);
        return decimals > 0 && Math.Abs(shown - magnitude) <= 1e-6 * magnitude ? text.TrimEnd('0').TrimEnd('.') : text;
    }
}
