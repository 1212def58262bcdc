namespace GradScope;

/// <summary>How a figure is drawn, where the defaults are not what is wanted; change one with <c>with</c>.</summary>
public sealed record FigureOptions
{
    /// <summary>What figures are drawn with unless told otherwise.</summary>
    public static FigureOptions Default { get; } = new();

    /// <summary>A title in place of the figure's own.</summary>
    public string? Title { get; init; }

    /// <summary>Sizes and colours.</summary>
    public Theme Theme { get; init; } = Theme.Default;

    /// <summary>The most rows and columns of a large heatmap that are drawn; a larger one is thinned, and the figure says so.</summary>
    public int MaxCells { get; init; } = 64;

    /// <summary>The layer whose attention is shown large; null for the one with the largest gradient.</summary>
    public int? Layer { get; init; }

    /// <summary>The head whose attention is shown large; null for the one with the largest gradient.</summary>
    public int? Head { get; init; }

    /// <summary>A gradient norm below which a place on the residual stream is marked as vanishing.</summary>
    public double VanishingBelow { get; init; } = 1e-6;

    /// <summary>A gradient norm above which a place on the residual stream is marked as exploding.</summary>
    public double ExplodingAbove { get; init; } = 1e2;
}
