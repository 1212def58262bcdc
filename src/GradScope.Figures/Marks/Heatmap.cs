using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>
/// A rectangle of numbers as colours. A dash marks numbers below 0, a slash cells that are not allowed, and a cross in the
/// alarm colour numbers that are NaN or infinite, so that none of them depends on colour.
/// </summary>
internal static class Heatmap
{
    /// <summary>The side of the smallest cell that holds marks.</summary>
    public const double Smallest = 6;

    /// <summary>
    /// Draws cells of a size with their corner at (x, y); with <paramref name="cellTitle"/> each cell tells its number on hover, and as the
    /// payload's map of number <paramref name="map"/> a script reads it.
    /// </summary>
    public static void Draw(Sheet sheet, Cells cells, Ramp ramp, double x, double y, double width, double height, Func<int, int, string>? cellTitle = null, string? title = null, int? map = null)
    {
        if (map is { } number)
        {
            using (sheet.Group())
            {
                Draw(sheet, cells, ramp, x, y, width, height, cellTitle, title);
                Hit(sheet, number, x, y, width, height);
            }

            return;
        }

        DrawCells(sheet, cells, ramp, x, y, width / cells.Columns, height / cells.Rows, cellTitle, title);
        sheet.Curve(Frame(x, y, width, height), Tone.Rule);
        sheet.Body.Line();
    }

    /// <summary>Draws cells of a width and a height without a frame.</summary>
    public static void DrawCells(Sheet sheet, Cells cells, Ramp ramp, double x, double y, double w, double h, Func<int, int, string>? cellTitle = null, string? title = null)
    {
        if (cellTitle is null && Math.Min(w, h) < Smallest)
        {
            DrawDense(sheet, cells, ramp, x, y, w, h, title);
            Forbid(sheet, cells, x, y, w, h);
            return;
        }

        using (sheet.Group(x, y, title: title))
        {
            if (cellTitle is not null) DrawTitled(sheet, cells, ramp, w, h, cellTitle);
            else DrawSpaced(sheet, cells, ramp, w, h);
            Forbid(sheet, cells, 0, 0, w, h);
        }
    }

    /// <summary>The line around a map.</summary>
    public static PathText Frame(double x, double y, double width, double height) => $"M{x - 0.5} {y - 0.5}h{width + 1}v{height + 1}h{-width - 1}z";

    /// <summary>What a pointer meets over the payload's map of a number; it lies over all that belongs to the map.</summary>
    public static void Hit(Sheet sheet, int map, double x, double y, double width, double height) =>
        sheet.Body.Empty("rect", ("x", x), ("y", y), ("width", width), ("height", height), ("class", "hit"), ("data-map", map.ToString(CultureInfo.InvariantCulture)));

    /// <summary>A map's colours from end to end with their numbers, 60 px wide and 22 high.</summary>
    public static void Legend(Sheet sheet, Ramp ramp, bool signed, double x, double y, double width = 60)
    {
        var steps = signed ? 11 : 6;
        var w = width / steps;
        for (var i = 0; i < steps; i++)
        {
            var value = signed ? (i - 5) / 5.0 : i / 5.0;
            var tone = value < 0 ? ramp.Negative : ramp.Positive;
            if (value != 0) sheet.Rect(x + i * w, y, w, 7, tone.Fill(), opacity: Math.Abs(value));
        }

        sheet.Rect(x - 0.5, y - 0.5, width + 1, 8, Tone.Rule.Stroke());
        var number = Numbers.Short(ramp.Largest);
        sheet.Text(x, y + 18, signed && ramp.Largest > 0 ? "−" + number : "0", Face.Number.In(Tone.Muted));
        sheet.Text(Math.Max(x + width, x + sheet.WidthOf("−" + number + number, Face.Number) + 8), y + 18, number, Face.Number.In(Tone.Muted), Anchor.End);
    }

    private static void DrawTitled(Sheet sheet, Cells cells, Ramp ramp, double w, double h, Func<int, int, string> cellTitle)
    {
        var gap = Math.Min(w, h) >= Smallest ? 0.5 : 0;
        var dashes = new StringBuilder();
        Each(cells, (r, c, value) =>
        {
            var (left, top) = (c * w, r * h);
            if (!float.IsFinite(value))
            {
                Cross(sheet, left, top, w, h, cellTitle(r, c));
                return;
            }

            var step = ramp.Step(value);
            sheet.Rect(left + gap, top + gap, w - 2 * gap, h - 2 * gap, step == 0 ? Tone.Paper.Fill() : ramp.ToneOf(value).Fill() + Ramp.Class(step), title: cellTitle(r, c));
            if (value < 0 && step > 0) dashes.Append(Dash(left, top, w, h));
        });
        Dashes(sheet, dashes, w, h);
    }

    private static void DrawSpaced(Sheet sheet, Cells cells, Ramp ramp, double w, double h)
    {
        var paths = new Colours();
        var dashes = new StringBuilder();
        Each(cells, (r, c, value) =>
        {
            if (!float.IsFinite(value))
            {
                Cross(sheet, c * w, r * h, w, h, null);
                return;
            }

            var step = ramp.Step(value);
            if (step == 0) return;
            paths[ramp.ToneOf(value), step].Append(Sheet.PathOf($"M{c * w + 0.5} {r * h + 0.5}h{w - 1}v{h - 1}h{1 - w}z"));
            if (value < 0) dashes.Append(Dash(c * w, r * h, w, h));
        });

        foreach (var (tone, step, path) in paths.All)
        {
            sheet.Body.Empty("path", ("d", path), ("class", tone.Fill() + Ramp.Class(step)));
        }

        Dashes(sheet, dashes, w, h);
    }

    /// <summary>Cells too small for marks: neighbours of one colour become one stroke, in units of a cell.</summary>
    private static void DrawDense(Sheet sheet, Cells cells, Ramp ramp, double x, double y, double w, double h, string? title)
    {
        var paths = new Colours();
        foreach (var (tone, step, row, column, length) in Runs(cells, ramp)) paths[tone, step].Append(Sheet.PathOf($"M{column} {row}h{length}"));

        // Half a cell down: a stroke lies on both sides of its path.
        using (sheet.Body.Open("g", ("transform", w == h ? Sheet.PathOf($"translate({x} {y + h / 2})scale({w})") : Sheet.PathOf($"translate({x} {y + h / 2})scale({w} {h})")), ("class", "dense")))
        {
            if (title is not null) sheet.Body.Element("title", title);
            foreach (var (tone, step, path) in paths.All)
            {
                sheet.Body.Empty("path", ("d", path), ("class", tone.Stroke() + Ramp.Class(step)));
            }
        }
    }

    /// <summary>Neighbours in a row, or in a column, that have one colour, where they have one.</summary>
    public static IEnumerable<(Tone Tone, int Step, int Row, int Column, int Length)> Runs(Cells cells, Ramp ramp, bool areDown = false)
    {
        var (lines, length) = areDown ? (cells.Columns, cells.Rows) : (cells.Rows, cells.Columns);
        for (var line = 0; line < lines; line++)
        {
            for (var at = 0; at < length;)
            {
                var ((tone, step), start) = (ColourAt(line, at), at);
                while (at < length && ColourAt(line, at) == (tone, step)) at++;
                if (step > 0) yield return areDown ? (tone, step, start, line, at - start) : (tone, step, line, start, at - start);
            }
        }

        (Tone Tone, int Step) ColourAt(int line, int at)
        {
            var cell = areDown ? at * cells.Columns + line : line * cells.Columns + at;
            var value = cells.Values[cell];
            return cells.IsForbidden(cell) ? (Tone.Paper, 0) : !float.IsFinite(value) ? (Tone.Loss, Ramp.Steps) : (ramp.ToneOf(value), ramp.CoarseStep(value));
        }
    }

    /// <summary>Neighbours in a row that are not allowed; of rows so low that their lines would meet not of each.</summary>
    public static IEnumerable<(int Row, int Column, int Length)> ForbiddenRuns(Cells cells, double height)
    {
        for (var r = 0; r < cells.Rows; r += Math.Max(1, (int)Math.Ceiling(3 / height)))
        {
            for (var c = 0; c < cells.Columns; c++)
            {
                var start = c;
                while (c < cells.Columns && cells.IsForbidden(r, c)) c++;
                if (c > start) yield return (r, start, c - start);
            }
        }
    }

    private static void Forbid(Sheet sheet, Cells cells, double x, double y, double w, double h)
    {
        var slashes = new StringBuilder();
        if (Math.Min(w, h) < Smallest)
        {
            foreach (var (r, c, length) in ForbiddenRuns(cells, h)) slashes.Append(Sheet.PathOf($"M{x + c * w} {y + (r + 0.5) * h}h{length * w}"));
        }
        else
        {
            for (var cell = 0; cell < cells.Rows * cells.Columns; cell++)
            {
                var (r, c) = (cell / cells.Columns, cell % cells.Columns);
                if (cells.IsForbidden(cell)) slashes.Append(Sheet.PathOf($"M{x + c * w + w * 0.25} {y + r * h + h * 0.75}l{w * 0.5} {-h * 0.5}"));
            }
        }

        if (slashes.Length > 0) Hatch(sheet, slashes.ToString());
    }

    /// <summary>Lines over what is not allowed; drawn larger by so much, they are as thin.</summary>
    public static void Hatch(Sheet sheet, string path, double scale = 1) =>
        sheet.Body.Empty("path", ("d", path), ("class", Tone.Muted.Stroke()), ("stroke-width", 0.8 / scale), ("opacity", ".55"));

    private static void Each(Cells cells, Action<int, int, float> draw)
    {
        for (var r = 0; r < cells.Rows; r++)
        {
            for (var c = 0; c < cells.Columns; c++)
            {
                if (!cells.IsForbidden(r, c)) draw(r, c, cells[r, c]);
            }
        }
    }

    private static void Cross(Sheet sheet, double x, double y, double w, double h, string? title)
    {
        using (sheet.Group(x, y, title: title))
        {
            sheet.Rect(0.5, 0.5, w - 1, h - 1, Tone.Loss.Fill(), opacity: 0.2);
            sheet.Curve($"M{w * 0.2} {h * 0.2}l{w * 0.6} {h * 0.6}M{w * 0.8} {h * 0.2}l{-w * 0.6} {h * 0.6}", Tone.Loss, 1.5);
        }
    }

    private static string Dash(double x, double y, double w, double h) => Sheet.PathOf($"M{x + w * 0.32} {y + h * 0.5}h{w * 0.36}");

    private static void Dashes(Sheet sheet, StringBuilder dashes, double w, double h)
    {
        if (dashes.Length > 0 && Math.Min(w, h) >= Smallest)
        {
            sheet.Body.Empty("path", ("d", dashes.ToString()), ("class", Tone.Ink.Stroke()), ("opacity", ".7"));
        }
    }

    /// <summary>One path for each colour, in the order of tones and steps.</summary>
    public sealed class Colours
    {
        private readonly StringBuilder?[] paths = new StringBuilder?[Enum.GetValues<Tone>().Length * (Ramp.Steps + 1)];

        public StringBuilder this[Tone tone, int step] => paths[(int)tone * (Ramp.Steps + 1) + step] ??= new();

        public IEnumerable<(Tone Tone, int Step, string Path)> All
        {
            get
            {
                for (var i = 0; i < paths.Length; i++)
                {
                    if (paths[i] is { } path) yield return ((Tone)(i / (Ramp.Steps + 1)), i % (Ramp.Steps + 1), path.ToString());
                }
            }
        }
    }
}
