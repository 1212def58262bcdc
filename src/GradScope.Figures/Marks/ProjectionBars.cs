namespace GradScope.Figures;

/// <summary>
/// What two paths add to a gradient, as projections on the whole: they sum to 1, and one that works against the whole is
/// drawn to the left of 0.
/// </summary>
internal static class ProjectionBars
{
    private const double LabelWidth = 56, NumberWidth = 50;

    public static double Draw(Sheet sheet, IReadOnlyList<(string Label, double Share)> paths, double x, double y, double width)
    {
        var finite = paths.Select(p => p.Share).Where(double.IsFinite).ToList();
        var low = finite.Append(0).Min();
        var high = finite.Append(1).Max();
        var (left, span) = (x + LabelWidth, width - LabelWidth - NumberWidth);
        foreach (var (label, share) in paths)
        {
            sheet.Text(x, y + 11.5, label, Face.Note, fit: LabelWidth - 4);
            if (!double.IsFinite(share))
            {
                sheet.Text(x + width, y + 11.5, Numbers.Percent(share), Face.Number.In(Tone.Loss), Anchor.End);
                y += 15;
                continue;
            }

            var (from, to) = (At(Math.Min(0, share)), At(Math.Max(0, share)));
            sheet.Rect(from, y + 3.5, Math.Max(0.5, to - from), 8, $"{(share < 0 ? Tone.Negative : Tone.Gradient).Fill()} {Ribbons.Class}", title: $"{label}: ⟨g_path, g⟩ / ‖g‖² = {Numbers.Exact(share)}");
            sheet.Text(x + width, y + 11.5, Numbers.Percent(share), Face.Number.In(share < 0 ? Tone.Negative : Tone.Gradient), Anchor.End);
            y += 15;
        }

        sheet.Line(At(0), y - 15 * paths.Count + 1, At(0), y, Tone.Muted);
        if (paths.Any(p => p.Share < 0))
        {
            sheet.Text(x, y + 11.5, "− works against", Face.Note.In(Tone.Negative), fit: width);
            y += 15;
        }

        return y;

        double At(double share) => left + (share - low) / (high - low) * span;
    }
}
