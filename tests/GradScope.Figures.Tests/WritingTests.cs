namespace GradScope.Figures.Tests;

public sealed class WritingTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(-4, "−4")]
    [InlineData(0.5, "0.5")]
    [InlineData(24.7041, "24.7")]
    [InlineData(138.83382, "139")]
    [InlineData(0.0400001, "0.0400")]
    [InlineData(0.04, "0.04")]
    [InlineData(4.7e-3, "4.7·10⁻³")]
    [InlineData(-4.7012e-3, "−4.70·10⁻³")]
    [InlineData(1e-6, "10⁻⁶")]
    [InlineData(9.9996e-4, "1.00·10⁻³")]
    [InlineData(1234, "1234")]
    [InlineData(9999.9, "1.00·10⁴")]
    [InlineData(2.5e22, "2.5·10²²")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.NegativeInfinity, "−∞")]
    public void Numbers_have_three_digits(double number, string expected) => Assert.Equal(expected, Numbers.Short(number));

    [Theory]
    [InlineData(0.25, "25 %")]
    [InlineData(-0.1, "−10 %")]
    [InlineData(0.00618, "0.6 %")]
    [InlineData(-0.00001, "≈ 0 %")]
    [InlineData(0, "0 %")]
    [InlineData(12.5, "1,250 %")]
    public void Shares_are_in_per_cent(double share, string expected) => Assert.Equal(expected, Numbers.Percent(share));

    [Fact]
    public void Ordinals_are_English() => Assert.Equal(["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "1,002nd"], new[] { 1, 2, 3, 4, 11, 12, 13, 21, 1002 }.Select(Numbers.Ordinal));

    [Theory]
    [InlineData(-0.001, "0")]
    [InlineData(0.5, ".5")]
    [InlineData(-12.346, "-12.35")]
    [InlineData(100, "100")]
    public void Coordinates_are_short(double value, string expected) => Assert.Equal(expected, Numbers.Coordinate(value));

    [Fact]
    public void A_mark_at_nowhere_is_an_error() => Assert.Throws<ArgumentOutOfRangeException>(() => Numbers.Coordinate(double.NaN));

    [Theory]
    [InlineData("blocks.11.attn.wq.weight", 80)]
    [InlineData("👩‍🔬👩‍🔬👩‍🔬👩‍🔬👩‍🔬", 40)]
    [InlineData("שלום עולם שלום עולם", 60)]
    public void Long_texts_lose_their_middle_and_keep_whole_letters(string text, double width)
    {
        var shown = TextWidth.Fit(text, Face.Number, width, Theme.Default);
        Assert.Contains('…', shown);
        Assert.True(TextWidth.Of(shown, Face.Number, Theme.Default) <= width);
        var parts = shown.Split('…');
        Assert.StartsWith(parts[0], text, StringComparison.Ordinal);
        Assert.EndsWith(parts[1], text, StringComparison.Ordinal);
        Assert.DoesNotContain(shown, c => char.IsSurrogate(c) && shown.Count(char.IsHighSurrogate) != shown.Count(char.IsLowSurrogate));
    }

    [Fact]
    public void A_log_scale_holds_all_norms_but_noise_does_not_stretch_it()
    {
        var scale = LogScale.Of([0.03, 0.2, 0, null, double.NaN], [2.5e-9, 0.004]);
        Assert.Equal((-3, 0), (scale.Low, scale.High));
        Assert.True(scale.IsBelow(2.5e-9));
        Assert.False(scale.IsBelow(0));
        Assert.Equal(0, scale.At(1e-3), 9);
        Assert.Equal(1, scale.At(1), 9);
        Assert.Equal([-3, -2, -1, 0], scale.Ticks(4));
        Assert.Equal((-20, -12), (LogScale.Of([1e-12, 1e-40]).Low, LogScale.Of([1e-12, 1e-40]).High));
    }

    [Fact]
    public void Axes_have_round_ticks()
    {
        Assert.Equal([0, 50, 100, 150, 200], Axis.Linear(0, 200, 0, 1, 5).Ticks);
        Assert.Equal([0.01, 0.1, 1], Axis.Logarithmic(0.02, 0.7, 0, 1).Ticks.Select(t => Math.Round(t, 9)));
    }

    /// <summary>A learning rate that never changes lies on a tick of its own, and 0 shows how large it is.</summary>
    [Theory]
    [InlineData(0.01, "0,0.01")]
    [InlineData(-3, "0,−3")]
    [InlineData(0, "0")]
    public void A_constant_has_itself_and_zero_as_ticks(double value, string labels)
    {
        var axis = Axis.Linear(value, value, 100, 0, 5);
        Assert.Equal(labels, string.Join(',', axis.Labels.Select(l => l.Text)));
        Assert.Equal(value >= 0 ? 100 : 0, axis.At(0), 9);
        Assert.Equal(value switch { > 0 => 20, < 0 => 80, _ => 100 }, axis.At(value), 9);
    }

    [Fact]
    public void No_two_ticks_look_alike() =>
        Assert.Equal(["2.3401", "2.3402", "2.3403", "2.3404"], Axis.Linear(2.3401, 2.3404, 0, 1, 3).Labels.Select(l => l.Text));

    [Fact]
    public void Curves_are_smoothed_backwards_and_gaps_stay()
    {
        Curve curve = new("", Tone.Loss, [(1, 4), (2, 2), (3, double.NaN), (4, 6)]);
        Assert.Equal([4, 3, 2, 6], curve.Smooth(2).Points.Select(p => p.Value));
        var path = curve.Path(Axis.Linear(0, 4, 0, 4, 4), Axis.Linear(0, 6, 6, 0, 3), 100);
        Assert.Equal("M1 2l1 2M4 0", path);
    }

    /// <summary>visual-language.md: text 4.5:1, marks 3:1 (WCAG 2 relative luminance).</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Colours_stand_out_from_the_paper(bool dark)
    {
        var p = dark ? Palette.DarkDefault : Palette.LightDefault;
        Assert.All([p.Ink, p.Muted, p.Value, p.GradientText, p.Parameter, p.Loss, p.NegativeText], colour => Assert.InRange(Contrast(colour, p.Paper, 1), 4.5, 21));
        Assert.All([p.Value, p.Gradient, p.Negative, p.Parameter, p.Loss], colour => Assert.InRange(Contrast(colour, p.Paper, dark ? Ribbons.DarkVeil : Ribbons.Veil), 3, 21));
    }

    private static double Contrast(string colour, string paper, double veil)
    {
        var (ink, ground) = (Channels(colour), Channels(paper));
        var seen = Luminance([.. ink.Zip(ground, (c, g) => c * veil + g * (1 - veil))]);
        var behind = Luminance(ground);
        return (Math.Max(seen, behind) + 0.05) / (Math.Min(seen, behind) + 0.05);

        static double[] Channels(string hex) => [.. new[] { 1, 3, 5 }.Select(i => Convert.ToInt32(hex.Substring(i, 2), 16) / 255.0)];

        static double Luminance(double[] c) => 0.2126 * Linear(c[0]) + 0.7152 * Linear(c[1]) + 0.0722 * Linear(c[2]);

        static double Linear(double c) => c <= 0.04045 ? c / 12.92 : Math.Pow((c + 0.055) / 1.055, 2.4);
    }
}
