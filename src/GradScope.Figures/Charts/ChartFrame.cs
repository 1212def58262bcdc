namespace GradScope.Figures;

/// <summary>A chart of lines or heatmaps over two axes, with whatever colours its author chose.</summary>
internal sealed record ChartFrame(string Title, double Width, double Height, ChartAxis X, ChartAxis Y, IReadOnlyList<ChartTrace> Traces, bool HasLegend);

/// <summary>An axis.</summary>
/// <param name="Title">What it measures; may be empty.</param>
/// <param name="IsLog">Whether it is logarithmic.</param>
/// <param name="IsReversed">Whether it begins at the right or at the top.</param>
/// <param name="Range">Its ends, where its author chose them.</param>
internal sealed record ChartAxis(string Title, bool IsLog = false, bool IsReversed = false, (double Low, double High)? Range = null);

/// <summary>One set of data in a chart.</summary>
/// <param name="Name">What the legend calls it.</param>
internal abstract record ChartTrace(string Name);

/// <summary>Points, joined or marked or both; a point that is NaN or infinite leaves a gap.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="X">One a point; the place where <paramref name="Labels"/> has words.</param>
/// <param name="Y">One a point.</param>
/// <param name="Labels">Words in place of numbers on the x axis; null for numbers.</param>
/// <param name="Color">A CSS colour; null for the next of the figure's own.</param>
/// <param name="Thickness">Of the line; 0 for none.</param>
/// <param name="Dash">SVG's dash pattern; null for a whole line.</param>
/// <param name="MarkerSize">The markers' diameter; 0 for none.</param>
internal sealed record LineTrace(
    string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y, IReadOnlyList<string>? Labels, string? Color, double Thickness, string? Dash, double MarkerSize) : ChartTrace(Name);

/// <summary>Numbers as colours.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Rows">The first is at y = 0.</param>
/// <param name="XLabels">Below the columns; null for their indices.</param>
/// <param name="YLabels">Beside the rows; null for their indices.</param>
/// <param name="Low">The number that has the first colour.</param>
/// <param name="High">The number that has the last.</param>
/// <param name="Colors">Colours from low to high, each at its share of the way.</param>
internal sealed record HeatTrace(
    string Name, IReadOnlyList<IReadOnlyList<double>> Rows, IReadOnlyList<string>? XLabels, IReadOnlyList<string>? YLabels,
    double Low, double High, IReadOnlyList<(double At, (byte R, byte G, byte B) Color)> Colors) : ChartTrace(Name);
