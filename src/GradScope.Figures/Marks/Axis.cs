namespace GradScope.Figures;

/// <summary>A line from numbers to pixels, linear or logarithmic, with round numbers to print on it.</summary>
internal sealed class Axis
{
    private const double Headroom = 1.25;

    private readonly double low, high, from, to;

    private Axis(double low, double high, double from, double to, bool isLog, IReadOnlyList<(double, string)> labels) =>
        (this.low, this.high, this.from, this.to, IsLog, Labels) = (low, high, from, to, isLog, labels);

    public bool IsLog { get; }

    /// <summary>The numbers to print and how they look; no two look alike.</summary>
    public IReadOnlyList<(double Value, string Text)> Labels { get; }

    public IEnumerable<double> Ticks => Labels.Select(l => l.Value);

    /// <summary>The number at the low end.</summary>
    public double Least => IsLog ? Math.Pow(10, low) : low;

    /// <summary>From <paramref name="low"/> to <paramref name="high"/> exactly, with about so many ticks inside; around a single number from zero to somewhat past it, with both as ticks.</summary>
    public static Axis Linear(double low, double high, double from, double to, int ticks, Func<double, string>? format = null)
    {
        format ??= Numbers.Short;
        if (high <= low)
        {
            var (least, most) = (Math.Min(0, low) * Headroom, Math.Max(0, low) * Headroom);
            return new(least, most > least ? most : 1, from, to, false, low == 0 ? [(0, format(0))] : [(0, format(0)), (low, format(low))]);
        }

        var step = Step((high - low) / ticks);
        var marks = new List<double>();
        for (var i = Math.Ceiling(low / step - 1e-9); i * step <= high + step * 1e-9; i++) marks.Add(i * step);
        List<string> texts = [.. marks.Select(format)];
        // Numbers that differ only beyond the usual digits have more of them.
        if (texts.Distinct().Count() < texts.Count) texts = [.. marks.Select(m => Numbers.Exact(m))];
        return new(low, high, from, to, false, [.. marks.Zip(texts)]);
    }

    /// <summary>Whole powers of ten around positive numbers.</summary>
    public static Axis Logarithmic(double low, double high, double from, double to)
    {
        var (first, last) = ((int)Math.Floor(Math.Log10(low) + 1e-9), (int)Math.Ceiling(Math.Log10(high) - 1e-9));
        if (last == first) last++;
        var step = Math.Max(1, (last - first + 2) / 4);
        return new(first, last, from, to, true, [.. Enumerable.Range(0, (last - first) / step + 1).Select(i => (Math.Pow(10, first + i * step), Numbers.PowerOfTen(first + i * step)))]);
    }

    public double At(double value) => from + ((IsLog ? Math.Log10(Math.Max(value, 1e-300)) : value) - low) / (high - low) * (to - from);

    /// <summary>1, 2 or 5 times a power of ten, not below the given step.</summary>
    private static double Step(double atLeast)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(atLeast)));
        return (atLeast / power) switch { <= 1 => power, <= 2 => 2 * power, <= 5 => 5 * power, _ => 10 * power };
    }
}
