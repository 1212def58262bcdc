namespace GradScope.Figures;

/// <summary>What gradient ribbons and bars have in common: they are as quiet as a contrast of 3:1 with the paper allows.</summary>
internal static class Ribbons
{
    /// <summary>How much of the tone they have on light paper.</summary>
    public const double Veil = 0.87;

    /// <summary>How much of the tone they have on dark paper.</summary>
    public const double DarkVeil = 0.6;

    /// <summary>The class that makes a mark so.</summary>
    public const string Class = "veil";
}
