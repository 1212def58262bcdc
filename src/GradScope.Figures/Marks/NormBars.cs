namespace GradScope.Figures;

/// <summary>Gradient norms as rows of name, bar and number; all bars of a figure share one logarithmic scale.</summary>
internal static class NormBars
{
    public const double RowHeight = 15;
    private const double LabelWidth = 56, NumberWidth = 55, ShortestBar = 3;

    /// <summary>Draws the rows below y and answers the y after them.</summary>
    public static double Draw(Sheet sheet, LogScale scale, IEnumerable<(string Label, ParameterFrame Parameter)> rows, double x, double y, double width)
    {
        var longest = width - LabelWidth - NumberWidth;
        foreach (var (label, parameter) in rows)
        {
            var middle = y + RowHeight / 2;
            var title = $"{parameter.Name} {parameter.Shape}: ‖gradient‖ {Numbers.Exact(parameter.GradNorm)}, ‖weights‖ {Numbers.Exact(parameter.ValueNorm)}";
            sheet.Text(x, middle + 4, label, Face.Number.In(Tone.Parameter), fit: LabelWidth - 4, title: title);
            if (parameter.GradNorm is { } norm)
            {
                if (norm > 0)
                {
                    sheet.Rect(x + LabelWidth, middle - 4, ShortestBar + scale.At(norm) * (longest - ShortestBar), 8, Tone.Gradient.Fill(), radius: 1.5, opacity: 0.6);
                }

                sheet.Text(x + width, middle + 4, Numbers.Short(norm), Face.Number.In(norm > 0 && double.IsFinite(norm) ? Tone.Muted : Tone.Loss), Anchor.End);
            }

            y += RowHeight;
        }

        return y;
    }
}
