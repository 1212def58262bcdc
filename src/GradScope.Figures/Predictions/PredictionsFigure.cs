using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>What a model expects next at each position, beside what came.</summary>
public static class PredictionsFigure
{
    private const int Top = 3, MostRows = 48;
    private const double RowHeight = 25, CellWidth = 92, CellGap = 8, TokenWidth = 58;

    /// <summary>Draws a row a position: the token there, the target with its probability, and the 3 likeliest tokens.</summary>
    public static Figure Draw(PredictionFrame frame, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Predictions";
        var sheet = new Sheet(options.Theme);
        double token = Sheet.Margin + 30, target = token + TokenWidth + 12, mark = target + TokenWidth + 2, chance = mark + 70, top = chance + 16;
        var width = top + Top * (CellWidth + CellGap) - CellGap + Sheet.Margin;
        var asked = frame.Positions.Where(p => p.IsRight is not null).ToList();
        sheet.Header(width, title, string.Create(CultureInfo.InvariantCulture, $"step {frame.Step} · {Right(asked)}"));

        var y = sheet.Top + 12;
        foreach (var (x, head, anchor) in ((double, string, Anchor)[])[(token, "token", Anchor.Start), (target, "next", Anchor.Start), (chance, "P(next)", Anchor.End), (top, "likeliest", Anchor.Start)])
        {
            sheet.Text(x, y, head, Face.Note, anchor);
        }

        y += 7;
        for (var i = 0; i < Math.Min(frame.Positions.Length, MostRows); i++)
        {
            Row(frame.Positions[i], i);
            y += RowHeight;
        }

        List<string> notes = ["✓ the likeliest token came, ✗ another; an outline marks the token that came. A bar's length is the probability."];
        if (frame.Positions.Length > MostRows) notes.Add($"The first {MostRows} of {Numbers.Count(frame.Positions.Length)} positions are drawn; the table has all.");
        if (frame.Positions.IsEmpty) notes = ["There is no position."];
        var bottom = sheet.Notes(Sheet.Margin, y + 8, width - 2 * Sheet.Margin, [.. notes]);
        return Figure.From(sheet, width, bottom + Sheet.Margin - 4, title, Summary(frame, title, asked), Table(frame));

        void Row(Prediction position, int index)
        {
            var middle = y + RowHeight / 2 + 4;
            sheet.Line(token, y, width - Sheet.Margin, y, Tone.Rule);
            sheet.Text(Sheet.Margin + 20, middle, index.ToString(CultureInfo.InvariantCulture), Face.Number.In(Tone.Muted), Anchor.End);
            sheet.Text(token, middle, TokenText.Show(position.Token), Face.Code, fit: TokenWidth);
            if (position is { Target: { } next, TargetId: { } id, IsRight: { } right })
            {
                var tone = right ? Tone.Value : Tone.Loss;
                sheet.Text(target, middle, TokenText.Show(next), Face.Code with { Bold = true }, fit: TokenWidth);
                sheet.Text(mark, middle, right ? "✓" : "✗", Face.Text.In(tone));
                sheet.Text(chance, middle, Numbers.Percent(position.Probabilities.Values[id]), Face.Number.In(tone), Anchor.End, title: Numbers.Exact(position.Probabilities.Values[id]));
            }
            else
            {
                sheet.Text(target, middle, "not asked", Face.Note);
            }

            var best = Likeliest(position);
            if (best.Count == 0) sheet.Text(top, middle, "no finite probability", Face.Note.In(Tone.Loss));
            for (var k = 0; k < best.Count; k++)
            {
                var (x, p) = (top + k * (CellWidth + CellGap), position.Probabilities.Values[best[k]]);
                var percent = Numbers.Percent(p);
                var name = TokenText.Show(frame.Vocabulary[best[k]]);
                sheet.Rect(x, y + 4, CellWidth * p, RowHeight - 8, Tone.Value.Fill() + " o8", radius: 2);
                if (best[k] == position.TargetId) sheet.Rect(x + 0.5, y + 4.5, CellWidth - 1, RowHeight - 9, Tone.Ink.Stroke(), radius: 2);
                sheet.Text(x + 5, middle, name, Face.Number, fit: CellWidth - 12 - sheet.WidthOf(percent, Face.Number), title: $"{frame.Vocabulary[best[k]]}: {Numbers.Exact(p)}");
                sheet.Text(x + CellWidth - 4, middle, percent, Face.Number, Anchor.End);
            }

            sheet.Body.Line();
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
