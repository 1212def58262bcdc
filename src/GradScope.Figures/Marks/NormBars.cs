namespace GradScope.Figures;

/// <summary>Gradient norms as rows of name, bar and number; all bars of a figure share one logarithmic scale.</summary>
internal static class NormBars
{
    public const double RowHeight = 15;
    private const double WidestLabel = 72, ShortestBar = 3;

    /// <summary>Parameters with their names inside a branch; a bias follows its weight and needs no second name.</summary>
    public static List<(string Label, ParameterFrame Parameter)> Rows(IEnumerable<ParameterFrame> parameters, string branch) => [.. parameters.Select(p =>
        (p.Name.EndsWith(".bias", StringComparison.Ordinal) ? " bias" : GradientFlowFigure.ShortName(p.Name, branch), p))];

    /// <summary>Draws the rows below y and answers the y after them.</summary>
    public static double Draw(Sheet sheet, LogScale scale, IReadOnlyList<(string Label, ParameterFrame Parameter)> rows, double x, double y, double width)
    {
        var labelWidth = Math.Min(WidestLabel, rows.Max(r => sheet.WidthOf(r.Label, Face.Number)) + 6);
        var longest = width - labelWidth - rows.Max(r => sheet.WidthOf(Numbers.Short(r.Parameter.GradNorm ?? 0), Face.Number)) - 6;
        foreach (var (label, parameter) in rows)
        {
            var middle = y + RowHeight / 2;
            var title = $"{parameter.Name} {parameter.Shape}: ‖gradient‖ {Numbers.Exact(parameter.GradNorm)}, ‖weights‖ {Numbers.Exact(parameter.ValueNorm)}";
            sheet.Text(x, middle + 4, label, Face.Number.In(Tone.Parameter), fit: labelWidth - 4, title: title);
            if (parameter.GradNorm is { } norm)
            {
                if (scale.IsBelow(norm)) sheet.Rect(x + labelWidth + 0.5, middle - 3.5, ShortestBar, 7, Tone.Gradient.Stroke());
                else if (norm > 0) sheet.Rect(x + labelWidth, middle - 4, ShortestBar + scale.At(norm) * (longest - ShortestBar), 8, $"{Tone.Gradient.Fill()} {Ribbons.Class}", radius: 1.5);

                sheet.Text(x + width, middle + 4, Numbers.Short(norm), Face.Number.In(norm > 0 && double.IsFinite(norm) ? Tone.Muted : Tone.Loss), Anchor.End);
            }

            else if (parameter.IsFrozen)
            {
                sheet.Text(x + width, middle + 4, "frozen", Face.Note, Anchor.End);
            }

            y += RowHeight;
        }

        return y;
    }
}
