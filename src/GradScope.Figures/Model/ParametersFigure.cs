using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>Parameters as rows: name, shape, how many numbers, norm of the weights, and a bar for the norm of the gradient.</summary>
internal static class ParametersFigure
{
    private const double Width = 660, Row = 17, Bar = 120;
    private const int MostRows = 120;

    /// <summary>Draws what a part of a model learns.</summary>
    public static Figure Draw(string title, IReadOnlyList<ParameterFrame> parameters, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        title = options.Title ?? title;
        var sheet = new Sheet(options.Theme);
        var count = parameters.Sum(p => p.Shape.ElementCount);
        var frozen = parameters.Where(p => p.IsFrozen).Sum(p => p.Shape.ElementCount);
        var line = $"{Numbers.Count(parameters.Count)} parameter{(parameters.Count == 1 ? "" : "s")}, {Numbers.Count(count)} numbers{(frozen > 0 ? $", {Numbers.Count(frozen)} of them frozen" : "")}";
        sheet.Header(Width, title, line);
        var (shape, numbers, values, bars) = (300.0, 400.0, 480.0, 500.0);
        var y = sheet.Top + 12;
        foreach (var (x, text, tone) in ((double, string, Tone)[])[(shape, "shape", Tone.Muted), (numbers, "numbers", Tone.Muted), (values, "‖weights‖", Tone.Value), (bars + Bar + 24, "‖gradient‖", Tone.Gradient)])
        {
            sheet.Text(x, y, text, Face.Note.In(tone), Anchor.End);
        }

        var scale = LogScale.Of([.. parameters.Select(p => p.GradNorm)]);
        foreach (var parameter in parameters.Take(MostRows))
        {
            y += Row;
            sheet.Text(Sheet.Margin, y, parameter.Name, Face.Number.In(Tone.Parameter), fit: shape - 90 - Sheet.Margin);
            sheet.Text(shape, y, parameter.Shape.ToString(), Face.Number, Anchor.End);
            sheet.Text(numbers, y, Numbers.Count(parameter.Shape.ElementCount), Face.Number, Anchor.End);
            sheet.Text(values, y, Numbers.Short(parameter.ValueNorm), Face.Number.In(Tone.Value), Anchor.End);
            if (parameter.IsFrozen) sheet.Text(bars, y, "frozen", Face.Note with { Bold = true });
            else if (parameter.GradNorm is { } norm)
            {
                if (norm > 0) sheet.Rect(bars, y - 8, Math.Max(2, scale.At(norm) * (Bar - 40)), 8, $"{Tone.Gradient.Fill()} {Ribbons.Class}", radius: 1.5);
                sheet.Text(bars + Bar + 24, y, Numbers.Short(norm), Face.Number.In(Tone.Gradient), Anchor.End);
            }
            else sheet.Text(bars, y, "backward has not run", Face.Note);
        }

        if (parameters.Count > MostRows) y = sheet.Notes(Sheet.Margin, y + 6, Width - 2 * Sheet.Margin, $"The first {MostRows} of {Numbers.Count(parameters.Count)}; the table lists all.");
        return Figure.From(sheet, Width, y + Sheet.Margin, title, Summary(title, line, parameters), Table(parameters));
    }

    private static string Summary(string title, string line, IReadOnlyList<ParameterFrame> parameters)
    {
        var text = new StringBuilder($"{title}: {line}.");
        foreach (var parameter in parameters.Take(40)) text.Append(CultureInfo.InvariantCulture, $"\n  {parameter.Name} {parameter.Shape}{(parameter.IsFrozen ? ", frozen" : parameter.GradNorm is { } norm ? $", ‖gradient‖ {Numbers.Short(norm)}" : "")}");
        if (parameters.Count > 40) text.Append(CultureInfo.InvariantCulture, $"\n  … and {parameters.Count - 40} more");
        return text.ToString();
    }

    private static DataTable Table(IReadOnlyList<ParameterFrame> parameters) => new(
        "Parameters", 2, ["parameter", "shape", "numbers", "‖weights‖", "‖gradient‖"],
        [.. parameters.Select(p => (string[])[p.Name, p.Shape.ToString(), Numbers.Count(p.Shape.ElementCount), Numbers.Exact(p.ValueNorm), p.IsFrozen ? "frozen" : Numbers.Exact(p.GradNorm)])]);
}
