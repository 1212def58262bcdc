namespace GradScope;

/// <summary>Colours of one appearance, each a CSS colour.</summary>
/// <param name="Value">Values and the forward pass.</param>
/// <param name="Gradient">Marks of gradients and the backward pass.</param>
/// <param name="GradientText">Text about gradients.</param>
/// <param name="Parameter">Parameters.</param>
/// <param name="Loss">The loss, and alarms.</param>
/// <param name="Negative">Negative numbers in signed maps.</param>
/// <param name="NegativeText">Text about them.</param>
/// <param name="Ink">Text, where the host names no colour of its own.</param>
/// <param name="Muted">Secondary text, likewise.</param>
/// <param name="Line">Rules and outlines, likewise.</param>
/// <param name="Paper">The ground, likewise.</param>
public sealed record Palette(
    string Value, string Gradient, string GradientText, string Parameter, string Loss,
    string Negative, string NegativeText, string Ink, string Muted, string Line, string Paper)
{
    /// <summary>For light grounds.</summary>
    public static Palette LightDefault { get; } = new(
        "#2b6cb0", "#d9601a", "#b84e0e", "#7b5ea7", "#c62828", "#2b8a8a", "#1f7a7a", "#1f2328", "#656d76", "#d0d7de", "#ffffff");

    /// <summary>For dark grounds.</summary>
    public static Palette DarkDefault { get; } = new(
        "#6cb0f5", "#ff9a57", "#ff9a57", "#b79be0", "#ff8a80", "#5fd0d0", "#5fd0d0", "#e6edf3", "#9198a1", "#3d444d", "#0d1117");

    /// <summary>For light grounds where more contrast is asked for: text and marks 7:1 or better on white.</summary>
    public static Palette LightContrast { get; } = new(
        "#0b3d91", "#8a3200", "#8a3200", "#4a2a85", "#8b0000", "#004f4f", "#004f4f", "#000000", "#1f1f1f", "#8c8c8c", "#ffffff");

    /// <summary>For dark grounds where more contrast is asked for: text and marks 7:1 or better on black.</summary>
    public static Palette DarkContrast { get; } = new(
        "#8cc8ff", "#ffb070", "#ffb070", "#d6bcff", "#ffa8a0", "#7fe8e8", "#7fe8e8", "#ffffff", "#e6e6e6", "#767676", "#000000");
}

/// <summary>
/// Sizes and colours of figures. A figure carries all appearances and follows its host (VS Code's and JupyterLab's themes,
/// a page's <c>data-theme</c>) or else the system, so one saved output reads well in the light, in the dark and in high contrast.
/// </summary>
public sealed record Theme
{
    /// <summary>The theme figures are drawn with unless told otherwise.</summary>
    public static Theme Default { get; } = new();

    /// <summary>Height of a figure's title, in pixels.</summary>
    public double TitleSize { get; init; } = 16;

    /// <summary>Height of text, in pixels.</summary>
    public double TextSize { get; init; } = 12.5;

    /// <summary>Height of notes and numbers, in pixels.</summary>
    public double SmallSize { get; init; } = 11;

    /// <summary>CSS font family of text.</summary>
    public string Font { get; init; } = "ui-sans-serif,system-ui,'Segoe UI',Helvetica,Arial,sans-serif";

    /// <summary>CSS font family of numbers and code.</summary>
    public string MonoFont { get; init; } = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";

    /// <summary>Colours on light grounds.</summary>
    public Palette Light { get; init; } = Palette.LightDefault;

    /// <summary>Colours on dark grounds.</summary>
    public Palette Dark { get; init; } = Palette.DarkDefault;

    /// <summary>Colours on light grounds in high contrast.</summary>
    public Palette HighContrastLight { get; init; } = Palette.LightContrast;

    /// <summary>Colours on dark grounds in high contrast.</summary>
    public Palette HighContrastDark { get; init; } = Palette.DarkContrast;

    internal double SizeOf(Figures.TextSize size) => size switch
    {
        Figures.TextSize.Title => TitleSize,
        Figures.TextSize.Text => TextSize,
        _ => SmallSize,
    };
}
