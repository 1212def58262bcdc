namespace GradScope.Figures;

/// <summary>
/// Norms on a logarithmic scale that begins and ends at a power of ten. Its low end is a visible width, and zero is not on it:
/// zero is drawn apart.
/// </summary>
internal sealed class LogScale
{
    private const int MostDecades = 8, MostDecadesOfOthers = 4;

    private LogScale(int low, int high) => (Low, High) = (low, high);

    /// <summary>The exponent at the low end; smaller norms are drawn as this one.</summary>
    public int Low { get; }

    /// <summary>The exponent at the high end.</summary>
    public int High { get; }

    /// <summary>
    /// The scale that holds all positive finite norms, and at most 8 powers of ten. Of the <paramref name="others"/> those that are
    /// 4 powers of ten below the largest do not stretch it: a gradient that is zero but for rounding would flatten all else.
    /// </summary>
    public static LogScale Of(IReadOnlyList<double?> norms, IReadOnlyList<double?>? others = null)
    {
        var positive = Positive(norms);
        var more = Positive(others ?? []);
        var largest = positive.Concat(more).DefaultIfEmpty(1).Max();
        positive.AddRange(more.Where(x => x >= largest * Math.Pow(10, -MostDecadesOfOthers)));
        if (positive.Count == 0) return new(-3, 0);

        var high = (int)Math.Ceiling(Math.Log10(largest) - 1e-9);
        var low = Math.Max(high - MostDecades, (int)Math.Floor(Math.Log10(positive.Min()) + 1e-9));
        return new(Math.Min(low, high - 1), high);

        static List<double> Positive(IReadOnlyList<double?> norms) => [.. norms.OfType<double>().Where(x => x > 0 && double.IsFinite(x))];
    }

    /// <summary>Whether a norm is smaller than the low end.</summary>
    public bool IsBelow(double norm) => norm > 0 && Math.Log10(norm) < Low - 1e-9;

    /// <summary>0 at the low end, 1 at the high end.</summary>
    public double At(double norm) => norm <= 0 ? 0
        : double.IsFinite(norm) ? Math.Clamp((Math.Log10(norm) - Low) / (High - Low), 0, 1)
        : 1;

    /// <summary>The exponents to print: both ends and what fits between.</summary>
    public IEnumerable<int> Ticks(int most)
    {
        var step = Math.Max(1, (int)Math.Ceiling((double)(High - Low) / (most - 1)));
        for (var e = Low; e <= High; e += step) yield return e;
    }
}
