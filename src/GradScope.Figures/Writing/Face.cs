namespace GradScope.Figures;

/// <summary>What a colour says. Each has a one-letter class: f+letter fills, s+letter strokes, t+letter colours text.</summary>
internal enum Tone
{
    Ink,
    Muted,
    Value,
    Gradient,
    Parameter,
    Loss,
    Negative,
    Rule,
    Paper,
}

/// <summary>One of the three sizes of text.</summary>
internal enum TextSize
{
    Title,
    Text,
    Small,
}

/// <summary>How a text looks: its size, whether monospaced or bold, and its colour.</summary>
internal readonly record struct Face(TextSize Size, Tone Tone = Tone.Ink, bool Mono = false, bool Bold = false)
{
    public static Face Title { get; } = new(TextSize.Title, Bold: true);
    public static Face Heading { get; } = new(TextSize.Text, Bold: true);
    public static Face Text { get; } = new(TextSize.Text);
    public static Face Note { get; } = new(TextSize.Small, Tone.Muted);
    public static Face Code { get; } = new(TextSize.Text, Mono: true);
    public static Face Number { get; } = new(TextSize.Small, Mono: true);

    public Face In(Tone tone) => this with { Tone = tone };

    /// <summary>The style sheet's classes for it; small ink text in the figure's font needs none.</summary>
    public string Classes => string.Join(' ', new[]
    {
        Size == TextSize.Small ? "" : $"z{(int)Size + 1}", Tone == Tone.Ink ? "" : $"t{Tones.Letter(Tone)}", Mono ? "m" : "", Bold ? "b" : "",
    }.Where(c => c.Length > 0));
}

internal static class Tones
{
    public static char Letter(Tone tone) => "imvgplnrw"[(int)tone];

    public static string Fill(this Tone tone) => "f" + Letter(tone);

    public static string Stroke(this Tone tone) => "s" + Letter(tone);
}
