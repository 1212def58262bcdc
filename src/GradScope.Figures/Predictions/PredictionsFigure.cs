using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>What a model expects next at each position, beside what came.</summary>
public static class PredictionsFigure
{
    private const int Top = 3, MostRows = 48, MostTokens = 64;

    /// <summary>
    /// Draws a row a position: the token there, the target with its probability, and the 3 likeliest tokens; below, where the vocabulary
    /// has 64 tokens or fewer, every token's probability.
    /// </summary>
    public static Figure Draw(PredictionFrame frame, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Predictions";
        var asked = frame.Positions.Where(p => p.IsRight is not null).ToList();
        var drawn = frame with { Positions = [.. frame.Positions.Take(MostRows)] };
        var maps = new DrawnMaps<string>();
        var cells = drawn.Positions.IsEmpty || frame.Vocabulary.Length > MostTokens ? null
            : Cells.Of(new Tensor([drawn.Positions.Length, frame.Vocabulary.Length], [.. drawn.Positions.SelectMany(p => p.Probabilities.Values.ToArray())]));
        string[] notes =
        [
            frame.Positions.IsEmpty ? "There is no position." : "✓ the likeliest token came, ✗ another; an outline marks the token that came. A bar's length is the probability.",
            .. frame.Positions.Length > MostRows ? [$"The first {MostRows} of {Numbers.Count(frame.Positions.Length)} positions are drawn; the table has all."] : Array.Empty<string>(),
            .. frame.Vocabulary.Length > MostTokens ? [$"Of {Numbers.Count(frame.Vocabulary.Length)} tokens the {Top} likeliest are drawn."] : Array.Empty<string>(),
        ];
        var line = string.Create(CultureInfo.InvariantCulture, $"step {frame.Step} · {Right(asked)}");
        return Figure.From(Lay(isWide: true), Lay(isWide: false), title, Summary(frame, title, asked), maps.Payload, [Table(frame)]);

        int Map(Payload payload) => payload.AddMap("P", cells, null, new("position", [.. drawn.Positions.Select(p => TokenText.Show(p.Token))]), new("token", [.. frame.Vocabulary.Select(TokenText.Show)]));

        Drawing Lay(bool isWide)
        {
            var sheet = isWide ? new Sheet(options.Theme) : Sheet.ForNarrow(options.Theme);
            var drawing = new PredictionsDrawing(drawn, sheet, isWide);
            sheet.Header(drawing.Width, title, line);
            var y = drawing.Rows(sheet.Top + 12, Likeliest);
            if (cells is not null) y = drawing.Distribution(cells, maps.Of("P", Map), y + 14);
            return new(sheet, drawing.Width, sheet.Notes(Sheet.Margin, y + 8, drawing.Width - 2 * Sheet.Margin, notes) + Sheet.Margin - 4);
        }
    }

    private static string Right(IReadOnlyList<Prediction> asked) => asked.Count == 0
        ? "no position has a target"
        : string.Create(CultureInfo.InvariantCulture, $"right at {asked.Count(p => p.IsRight == true)} of {asked.Count} positions");

    private static List<int> Likeliest(Prediction position)
    {
        var p = position.Probabilities.Values.ToArray();
        return [.. Enumerable.Range(0, p.Length).Where(i => float.IsFinite(p[i])).OrderByDescending(i => p[i]).Take(Top)];
    }

    private static string Summary(PredictionFrame frame, string title, IReadOnlyList<Prediction> asked)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{title} at step {frame.Step}: {Right(asked)}.");
        foreach (var position in frame.Positions.Take(MostRows))
        {
            text.Append($"\n  after {TokenText.Show(position.Token)}: {string.Join(", ", Likeliest(position).Select(i => $"{TokenText.Show(frame.Vocabulary[i])} {Numbers.Percent(position.Probabilities.Values[i])}").DefaultIfEmpty("no finite probability"))}");
            if (position is { Target: { } next, IsRight: { } right }) text.Append($"; came {TokenText.Show(next)} {(right ? "✓" : "✗")}");
        }

        return text.ToString();
    }

    private static DataTable Table(PredictionFrame frame) => new(
        "Every position", 5, ["position", "token", "next", "likeliest", "right", "P(next)", "P(likeliest)"],
        [.. frame.Positions.Select((p, i) => (string[])
        [
            i.ToString(CultureInfo.InvariantCulture), TokenText.Show(p.Token), p.Target is { } t ? TokenText.Show(t) : "–", TokenText.Show(frame.Vocabulary[p.Best]),
            p.IsRight switch { true => "yes", false => "no", _ => "–" },
            p.TargetId is { } id ? Numbers.Exact(p.Probabilities.Values[id]) : "–", Numbers.Exact(p.Probabilities.Values[p.Best]),
        ])]);
}
