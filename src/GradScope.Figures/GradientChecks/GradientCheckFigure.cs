using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>Backward held against differences of the forward pass, a row a gradient, with a verdict.</summary>
public static class GradientCheckFigure
{
    private const int MostRows = 120;
    private const double RowHeight = 22, LongestName = 360, ShapeWidth = 92, NumberWidth = 86, BadgeWidth = 70, SweepWidth = 96, NarrowSweepWidth = 62;

    /// <summary>
    /// Draws a row a checked gradient: its name and shape, what backward says, what differences say, how far apart they are, and of a
    /// sweep the error's curve. What differs comes first.
    /// </summary>
    public static Figure Draw(GradientCheck check, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Gradient check";
        var failed = check.Rows.Count(row => !row.Passed);
        var exact = check.Rows.Count(row => row.IsExact);
        var among = exact == check.Rows.Length ? "" : string.Create(CultureInfo.InvariantCulture, $", of the {exact} whose differences are exact enough to tell");
        var verdict = failed == 0
            ? string.Create(CultureInfo.InvariantCulture, $"all {check.Rows.Length} gradients agree with differences; largest relative error {Numbers.Short(check.LargestError)}{among}")
            : string.Create(CultureInfo.InvariantCulture, $"{failed} of {check.Rows.Length} gradients differ from differences");
        // What failed comes first and is never left out.
        var shown = check.Rows.OrderBy(row => row.Passed).Take(MostRows).ToArray();
        return Figure.From(Lay(check, shown, options, title, verdict, isWide: true), Lay(check, shown, options, title, verdict, isWide: false), title, Summary(check, title, verdict), null, [Table(check)]);
    }

    /// <summary>A row on one line, or, where it is narrow, what is checked on one and its numbers on the next.</summary>
    private static Drawing Lay(GradientCheck check, GradientCheckRow[] shown, FigureOptions options, string title, string verdict, bool isWide)
    {
        var sheet = isWide ? new Sheet(options.Theme) : Sheet.ForNarrow(options.Theme);
        var sweeps = shown.Any(row => !row.Sweep.IsEmpty);
        double name = Sheet.Margin, operation = name + Widest(sheet, "gradient of", shown.Select(row => row.Name), Face.Code, isWide ? LongestName : 130);
        double shape = operation + Widest(sheet, "operation", shown.Select(row => row.Operation), Face.Text, isWide ? LongestName : Sheet.Narrow - operation - BadgeWidth - 30);
        double received = isWide ? shape + ShapeWidth + NumberWidth : name + NumberWidth - 10, expected = received + NumberWidth, error = expected + NumberWidth;
        double sweep = error + (isWide ? 20 : 8), sweepWidth = isWide ? SweepWidth : NarrowSweepWidth;
        double badge = isWide ? sweep + (sweeps ? SweepWidth + 14 : 0) : Sheet.Narrow - Sheet.Margin - BadgeWidth, width = badge + BadgeWidth + Sheet.Margin;
        var below = isWide ? 0 : RowHeight - 4;
        sheet.Header(width, title, verdict);

        var y = sheet.Top + 12;
        foreach (var (x, head, anchor) in ((double, string, Anchor)[])
            [(name, "gradient of", Anchor.Start), (operation, "operation", Anchor.Start), .. isWide ? [(shape, "shape", Anchor.Start)] : Array.Empty<(double, string, Anchor)>()])
        {
            sheet.Text(x, y, head, Face.Note, anchor);
        }

        y += below == 0 ? 0 : 15;
        foreach (var (x, head) in ((double, string)[])[(received, "received"), (expected, "expected"), (error, "rel. error")])
        {
            sheet.Text(x, y, head, Face.Note, Anchor.End);
        }

        if (sweeps)
        {
            sheet.Text(sweep, y, isWide ? "error by step" : "by step", Face.Note);
        }

        y += 7;
        foreach (var group in shown.GroupBy(GroupOf))
        {
            sheet.Line(name, y, width - Sheet.Margin, y, Tone.Rule);
            sheet.Text(name, y + RowHeight / 2 + 6, group.Key, Face.Heading);
            y += RowHeight + 4;
            foreach (var row in group)
            {
                var middle = y + RowHeight / 2 + 4;
                sheet.Line(name, y, width - Sheet.Margin, y, Tone.Rule);
                sheet.Text(name, middle, row.Name, Face.Code, fit: operation - name - 10);
                sheet.Text(operation, middle, row.Operation, Face.Text.In(Tone.Muted), fit: shape - operation - 10);
                if (isWide) sheet.Text(shape, middle, row.Shape.ToString(), Face.Number.In(Tone.Muted), fit: ShapeWidth);
                sheet.Text(received, middle + below, Numbers.Short(row.Received), Face.Number.In(Tone.Gradient), Anchor.End, title: Numbers.Exact(row.Received));
                sheet.Text(expected, middle + below, Numbers.Short(row.Expected), Face.Number, Anchor.End, title: Numbers.Exact(row.Expected));
                sheet.Text(error, middle + below, Numbers.Short(row.RelativeError), Face.Number.In(Tone.Muted), Anchor.End);
                DrawSweep(sheet, sweep, y + below, sweepWidth, row);
                sheet.Text(badge, middle, row.Passed ? "✓ agrees" : "✗ differs", Face.Text.In(row.Passed ? Tone.Value : Tone.Loss));
                sheet.Body.Line();
                y += RowHeight + below;
            }
        }

        List<string> notes =
        [
            "Received: the gradient that backward computed, along a random direction. Expected: the result's change along that direction, by central differences of sixth order.",
            string.Create(CultureInfo.InvariantCulture, $"They agree where the relative error is at most {Numbers.Short(GradientCheckRow.Tolerance)}, or within what float32's rounding leaves open (the table has it)."),
        ];
        if (sweeps)
        {
            notes.Add("Error by step: how far the simplest difference, (f(h) − f(−h)) / 2h, is from received, for h from 0.1 (left) to 10⁻⁶ (right), between 1 (top) and 10⁻⁸, both logarithmic. It falls while shorter steps follow a curved operation better (a straight one has nothing to lose) and rises where float32's rounding takes over; a wrong gradient's error stays high.");
        }

        if (shown.Length < check.Rows.Length)
        {
            notes.Add($"{MostRows} of {Numbers.Count(check.Rows.Length)} rows are drawn, failed ones first; the table has all.");
        }

        return new(sheet, width, sheet.Notes(name, y + 8, width - 2 * Sheet.Margin, [.. notes]) + Sheet.Margin - 4);
    }

    private static string GroupOf(GradientCheckRow row) => !row.Passed ? "What differs"
        : row.Operation is nameof(NodeKind.Parameter) or nameof(NodeKind.Variable) ? "Gradients of the whole tape"
        : "Operations, one by one";

    private static double Widest(Sheet sheet, string head, IEnumerable<string> texts, Face face, double limit) =>
        14 + Math.Min(limit, texts.Select(text => sheet.WidthOf(text, face)).Append(sheet.WidthOf(head, Face.Note)).Max());

    /// <summary>The error against the step size, both logarithmic, longest step left; a dot marks the least.</summary>
    private static void DrawSweep(Sheet sheet, double left, double top, double width, GradientCheckRow row)
    {
        if (row.Sweep.IsEmpty)
        {
            return;
        }

        var (first, last) = (Math.Log(row.Sweep[0].Size), Math.Log(row.Sweep[^1].Size));
        var points = row.Sweep.Select(step => (
            X: left + width * (Math.Log(step.Size) - first) / (last - first),
            Y: top + 3 + (RowHeight - 6) * Math.Clamp(-Math.Log10(step.RelativeError) / 8, 0, 1))).ToArray();
        var best = row.Sweep.MinBy(step => step.RelativeError);
        var at = points[row.Sweep.IndexOf(best)];
        PathText curve = $"M{points[0].X} {points[0].Y}";
        foreach (var (x, y) in points.Skip(1))
        {
            curve.AppendLiteral(Sheet.PathOf($"L{x} {y}"));
        }

        sheet.Curve(curve, row.Passed ? Tone.Muted : Tone.Loss, 1.5);
        sheet.Circle(at.X, at.Y, 2.5, (row.Passed ? Tone.Value : Tone.Loss).Fill(), $"least error {Numbers.Short(best.RelativeError)} at h = {Numbers.Short(best.Size)}");
    }

    private static string Summary(GradientCheck check, string title, string verdict)
    {
        var text = new StringBuilder($"{title}: {verdict}.");
        foreach (var row in check.Rows.Where(row => !row.Passed))
        {
            text.Append($"\n  ✗ {row.Name} ({row.Operation}, {row.Shape}): received {Numbers.Short(row.Received)}, expected {Numbers.Short(row.Expected)}");
        }

        foreach (var row in check.Rows.Where(row => !row.Sweep.IsEmpty))
        {
            var best = row.Sweep.MinBy(step => step.RelativeError);
            text.Append($"\n  {row.Name} ({row.Operation}): least error {Numbers.Short(best.RelativeError)} at step {Numbers.Short(best.Size)}, {Numbers.Short(row.Sweep[0].RelativeError)} at {Numbers.Short(row.Sweep[0].Size)}, {Numbers.Short(row.Sweep[^1].RelativeError)} at {Numbers.Short(row.Sweep[^1].Size)}");
        }

        return text.ToString();
    }

    private static DataTable Table(GradientCheck check)
    {
        var steps = check.Rows.Select(row => row.Sweep).FirstOrDefault(sweep => !sweep.IsEmpty, []);
        return new(
            "Every checked gradient", 3,
            ["gradient of", "operation", "shape", "received", "expected", "relative error", "uncertainty", "verdict", .. steps.Select(step => $"error at h = {Numbers.Short(step.Size)}")],
            [.. check.Rows.Select(row => (string[])
            [
                row.Name, row.Operation, row.Shape.ToString(), Numbers.Exact(row.Received), Numbers.Exact(row.Expected),
                Numbers.Exact(row.RelativeError), Numbers.Exact(row.Uncertainty), row.Passed ? "agrees" : "differs",
                .. row.Sweep.Select(step => Numbers.Exact(step.RelativeError)),
            ])]);
    }
}
