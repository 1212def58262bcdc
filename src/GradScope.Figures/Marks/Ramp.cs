namespace GradScope.Figures;

/// <summary>How a number becomes a colour: paper at 0, and the full tone at the largest magnitude, in 20 steps, or fewer where cells are small.</summary>
/// <param name="Positive">The tone of numbers above 0.</param>
/// <param name="Negative">The tone of numbers below 0.</param>
/// <param name="Largest">The magnitude that has the full tone.</param>
internal sealed record Ramp(Tone Positive, Tone Negative, double Largest)
{
    public const int Steps = 20;

    /// <summary>How many steps are drawn as one where cells are small, so that neighbours melt into one stroke.</summary>
    public int Grain { get; init; } = 2;

    /// <summary>Attention: paper to blue, 0 to 1.</summary>
    public static Ramp Share { get; } = new(Tone.Value, Tone.Negative, 1);

    /// <summary>Signed numbers: teal – paper – orange, symmetric about 0.</summary>
    public static Ramp Signed(double largest) => new(Tone.Gradient, Tone.Negative, largest);

    /// <summary>Signed where any number is below 0, otherwise paper to blue.</summary>
    public static Ramp ForValues(Cells cells) => cells.AnyNegative ? Signed(cells.Largest) : new(Tone.Value, Tone.Negative, cells.Largest);

    /// <summary>The step of a number where cells are small.</summary>
    public int CoarseStep(double value) => Math.Min(Steps, (int)Math.Round((double)Step(value) / Grain, MidpointRounding.AwayFromZero) * Grain);

    /// <summary>The class that gives a mark a step's strength.</summary>
    public static string Class(int step) => step == Steps ? "" : $" o{step}";

    public int Step(double value) => Largest == 0 ? 0 : Math.Clamp((int)Math.Round(Math.Abs(value) / Largest * Steps), 0, Steps);

    public Tone ToneOf(double value) => value < 0 ? Negative : Positive;
}
