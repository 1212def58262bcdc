using System.Globalization;

namespace GradScope.Figures;

/// <summary>Lays predictions out: a row a position, its likeliest tokens beside it or, where it is narrow, below it; then all tokens as a heatmap.</summary>
internal sealed class PredictionsDrawing
{
    private const double LineHeight = 25, CellGap = 8, TokenWidth = 58, LargestCell = 18, MapRow = 14;
    private const double Token = Sheet.Margin + 30, Target = Token + TokenWidth + 12, Mark = Target + TokenWidth + 2, Chance = Mark + 70;

    private readonly PredictionFrame frame;
    private readonly Sheet sheet;
    private readonly bool isWide;
    private readonly double first, cellWidth;

    public PredictionsDrawing(PredictionFrame frame, Sheet sheet, bool isWide)
    {
        (this.frame, this.sheet, this.isWide) = (frame, sheet, isWide);
        (first, cellWidth) = isWide ? (Chance + 16, 92) : (Token, 94);
        Width = isWide ? first + 3 * (cellWidth + CellGap) - CellGap + Sheet.Margin : Sheet.Narrow;
    }

    public double Width { get; }

    /// <summary>A row a position, below their heads; answers the y below them.</summary>
    public double Rows(double y, Func<Prediction, IReadOnlyList<int>> likeliest)
    {
        foreach (var (x, head, anchor) in ((double, string, Anchor)[])[(Token, "token", Anchor.Start), (Target, "next", Anchor.Start), (Chance, "P(next)", Anchor.End), (isWide ? first : Chance + 16, isWide ? "likeliest" : "(likeliest below)", Anchor.Start)])
        {
            sheet.Text(x, y, head, Face.Note, anchor);
        }

        y += 7;
        for (var i = 0; i < frame.Positions.Length; i++)
        {
            Row(frame.Positions[i], i, y, likeliest(frame.Positions[i]));
            y += isWide ? LineHeight : 2 * LineHeight;
        }

        return y;
    }

    /// <summary>Every token's probability at each position, the token that came outlined; answers the y below.</summary>
    public double Distribution(Cells cells, int map, double y)
    {
        var w = Math.Min(LargestCell, (Width - Token - Sheet.Margin) / cells.Columns);
        sheet.Text(Sheet.Margin, y + 12, isWide ? "every token's probability, at each position down" : "every token's probability", Face.Text);
        var ramp = Ramp.Share with { Largest = cells.Largest };
        sheet.Text(Width - Sheet.Margin, y + 12, $"0 to {Numbers.Percent(cells.Largest)}", Face.Number.In(Tone.Value), Anchor.End);
        y += 22;
        string[] tokens = [.. frame.Vocabulary.Select(TokenText.Show)];
        if (tokens.All(t => sheet.WidthOf(t, Face.Number) <= w + 1))
        {
            for (var c = 0; c < tokens.Length; c++) sheet.Text(Token + (c + 0.5) * w, y + 10, tokens[c], Face.Number.In(Tone.Muted), Anchor.Middle);
            y += 16;
        }

        Heatmap.Draw(sheet, cells, ramp, Token, y, w * cells.Columns, MapRow * cells.Rows);
        for (var r = 0; r < cells.Rows; r++)
        {
            sheet.Text(Token - 8, y + r * MapRow + 11, TokenText.Show(frame.Positions[r].Token), Face.Number, Anchor.End, fit: Token - 8 - Sheet.Margin);
            if (frame.Positions[r].TargetId is { } id) sheet.Rect(Token + id * w + 0.5, y + r * MapRow + 0.5, w - 1, MapRow - 1, Tone.Ink.Stroke(), radius: 2);
        }

        using (sheet.Group()) Heatmap.Hit(sheet, map, Token, y, w * cells.Columns, MapRow * cells.Rows);
        return y + MapRow * cells.Rows;
    }

    private void Row(Prediction position, int index, double y, IReadOnlyList<int> best)
    {
        var middle = y + LineHeight / 2 + 4;
        sheet.Line(Token, y, Width - Sheet.Margin, y, Tone.Rule);
        sheet.Text(Sheet.Margin + 20, middle, index.ToString(CultureInfo.InvariantCulture), Face.Number.In(Tone.Muted), Anchor.End);
        sheet.Text(Token, middle, TokenText.Show(position.Token), Face.Code, fit: TokenWidth);
        if (position is { Target: { } next, TargetId: { } id, IsRight: { } right })
        {
            var tone = right ? Tone.Value : Tone.Loss;
            sheet.Text(Target, middle, TokenText.Show(next), Face.Code with { Bold = true }, fit: TokenWidth);
            sheet.Text(Mark, middle, right ? "✓" : "✗", Face.Text.In(tone));
            sheet.Text(Chance, middle, Numbers.Percent(position.Probabilities.Values[id]), Face.Number.In(tone), Anchor.End, title: Numbers.Exact(position.Probabilities.Values[id]));
        }
        else
        {
            sheet.Text(Target, middle, "not asked", Face.Note);
        }

        if (!isWide) (y, middle) = (y + LineHeight - 3, middle + LineHeight - 3);
        if (best.Count == 0) sheet.Text(first, middle, "no finite probability", Face.Note.In(Tone.Loss));
        for (var k = 0; k < best.Count; k++)
        {
            var (x, p) = (first + k * (cellWidth + CellGap), position.Probabilities.Values[best[k]]);
            var percent = Numbers.Percent(p);
            var name = TokenText.Show(frame.Vocabulary[best[k]]);
            sheet.Rect(x, y + 4, cellWidth * p, LineHeight - 8, Tone.Value.Fill() + " o8", radius: 2);
            if (best[k] == position.TargetId) sheet.Rect(x + 0.5, y + 4.5, cellWidth - 1, LineHeight - 9, Tone.Ink.Stroke(), radius: 2);
            sheet.Text(x + 5, middle, name, Face.Number, fit: cellWidth - 12 - sheet.WidthOf(percent, Face.Number), title: $"{frame.Vocabulary[best[k]]}: {Numbers.Exact(p)}");
            sheet.Text(x + cellWidth - 4, middle, percent, Face.Number, Anchor.End);
        }

        sheet.Body.Line();
    }
}
