using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>Backward held against differences of the forward pass, a row a gradient, with a verdict.</summary>
public static class GradientCheckFigure
{
    private const int MostRows = 120;
    private const double RowHeight = 22, NameWidth = 300, ShapeWidth = 92, NumberWidth = 86, BadgeWidth = 70;

    /// <summary>Draws a row a checked gradient: its name and shape, what backward says, what differences say, and how far apart they are.</summary>
    public static Figure Draw(GradientCheck check, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Gradient check";
        var failed = check.Rows.Count(row => !row.Passed);
        var verdict = failed == 0
            ? string.Create(CultureInfo.InvariantCulture, $"all {check.Rows.Length} gradients agree with differences; largest relative error {Numbers.Short(check.LargestError)}")
            : string.Create(CultureInfo.InvariantCulture, $"{failed} of {check.Rows.Length} gradients differ from differences");
        var sheet = new Sheet(options.Theme);
        double name = Sheet.Margin, shape = name + NameWidth, received = shape + ShapeWidth + NumberWidth, expected = received + NumberWidth;
        double error = expected + NumberWidth, badge = error + 14, width = badge + BadgeWidth + Sheet.Margin;
        sheet.Header(width, title, verdict);

        var y = sheet.Top + 12;
        foreach (var (x, head, anchor) in ((double, string, Anchor)[])
            [(name, "gradient of", Anchor.Start), (shape, "shape", Anchor.Start), (received, "received", Anchor.End), (expected, "expected", Anchor.End), (error, "rel. error", Anchor.End)])
        {
            sheet.Text(x, y, head, Face.Note, anchor);
        }

        y += 7;

        // What failed is never left out.
        var shown = check.Rows.Length <= MostRows ? check.Rows : [.. check.Rows.OrderBy(row => row.Passed).Take(MostRows)];
        foreach (var row in shown)
        {
            var middle = y + RowHeight / 2 + 4;
            sheet.Line(name, y, width - Sheet.Margin, y, Tone.Rule);
            sheet.Text(name, middle, $"{row.Name} ({row.Operation})", Face.Code, fit: NameWidth - 10);
            sheet.Text(shape, middle, row.Shape.ToString(), Face.Number.In(Tone.Muted), fit: ShapeWidth);
            sheet.Text(received, middle, Numbers.Short(row.Received), Face.Number.In(Tone.Gradient), Anchor.End, title: Numbers.Exact(row.Received));
            sheet.Text(expected, middle, Numbers.Short(row.Expected), Face.Number, Anchor.End, title: Numbers.Exact(row.Expected));
            sheet.Text(error, middle, Numbers.Short(row.RelativeError), Face.Number.In(Tone.Muted), Anchor.End);
            sheet.Text(badge, middle, row.Passed ? "✓ agrees" : "✗ differs", Face.Text.In(row.Passed ? Tone.Value : Tone.Loss));
            sheet.Body.Line();
            y += RowHeight;
        }

        List<string> notes =
        [
            "Received: the gradient that backward computed, along a random direction. Expected: the result's change along that direction, by central differences of sixth order.",
            string.Create(CultureInfo.InvariantCulture, $"They agree where the relative error is at most {Numbers.Short(GradientCheckRow.Tolerance)}, or within what float32's rounding leaves open (the table has it)."),
        ];
        if (shown.Length < check.Rows.Length)
        {
            notes.Add($"{MostRows} of {Numbers.Count(check.Rows.Length)} rows are drawn, failed ones first; the table has all.");
        }

        var bottom = sheet.Notes(name, y + 8, width - 2 * Sheet.Margin, [.. notes]);
        return Figure.From(sheet, width, bottom + Sheet.Margin - 4, title, Summary(check, title, verdict), Table(check));
    }

    private static string Summary(GradientCheck check, string title, string verdict)
    {
        var text = new StringBuilder($"{title}: {verdict}.");
        foreach (var row in check.Rows.Where(row => !row.Passed))
        {
            text.Append($"\n  ✗ {row.Name} ({row.Operation}, {row.Shape}): received {Numbers.Short(row.Received)}, expected {Numbers.Short(row.Expected)}");
        }

        return text.ToString();
    }

    private static DataTable Table(GradientCheck check) => new(
        "Every checked gradient", 3, ["gradient of", "operation", "shape", "received", "expected", "relative error", "uncertainty", "verdict"],
        [.. check.Rows.Select(row => (string[])
        [
            row.Name, row.Operation, row.Shape.ToString(), Numbers.Exact(row.Received), Numbers.Exact(row.Expected),
            Numbers.Exact(row.RelativeError), Numbers.Exact(row.Uncertainty), row.Passed ? "agrees" : "differs",
        ])]);
}
