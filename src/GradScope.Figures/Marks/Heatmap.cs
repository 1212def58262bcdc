using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>
/// A rectangle of numbers as colours. A dash marks numbers below 0, a slash cells that are not allowed, and a cross in the
/// alarm colour numbers that are NaN or infinite, so that none of them depends on colour.
/// </summary>
internal static class Heatmap
{
    private const double Smallest = 6;

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

        var (w, h) = (width / cells.Columns, height / cells.Rows);
        if (cellTitle is null && Math.Min(w, h) < Smallest)
        {
            DrawDense(sheet, cells, ramp, x, y, w, h, title);
            Forbid(sheet, cells, x, y, w, h);
        }
        else
        {
            using (sheet.Group(x, y, title: title))
            {
                if (cellTitle is not null) DrawTitled(sheet, cells, ramp, w, h, cellTitle);
                else DrawSpaced(sheet, cells, ramp, w, h);
                Forbid(sheet, cells, 0, 0, w, h);
            }
        }

        sheet.Curve($"M{x - 0.5} {y - 0.5}h{width + 1}v{height + 1}h{-width - 1}z", Tone.Rule);
        sheet.Body.Line();
    }

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
        for (var r = 0; r < cells.Rows; r++)
        {
            for (var c = 0; c < cells.Columns;)
            {
                var (colour, start) = (ColourAt(r, c), c);
                while (c < cells.Columns && ColourAt(r, c) == colour) c++;
                if (colour.Step > 0) paths[colour.Tone, colour.Step].Append(Sheet.PathOf($"M{start} {r}h{c - start}"));
            }
        }

        // Half a cell down: a stroke lies on both sides of its path.
        using (sheet.Body.Open("g", ("transform", w == h ? Sheet.PathOf($"translate({x} {y + h / 2})scale({w})") : Sheet.PathOf($"translate({x} {y + h / 2})scale({w} {h})")), ("class", "dense")))
        {
            if (title is not null) sheet.Body.Element("title", title);
            foreach (var (tone, step, path) in paths.All)
            {
                sheet.Body.Empty("path", ("d", path), ("class", tone.Stroke() + Ramp.Class(step)));
            }
        }

        (Tone Tone, int Step) ColourAt(int r, int c) => cells.IsForbidden(r, c) ? (Tone.Paper, 0)
            : !float.IsFinite(cells[r, c]) ? (Tone.Loss, Ramp.Steps)
            : (ramp.ToneOf(cells[r, c]), ramp.CoarseStep(cells[r, c]));
    }

    private static void Forbid(Sheet sheet, Cells cells, double x, double y, double w, double h)
    {
        var slashes = new StringBuilder();
        for (var r = 0; r < cells.Rows; r++)
        {
            for (var c = 0; c < cells.Columns; c++)
            {
                if (!cells.IsForbidden(r, c)) continue;
                if (Math.Min(w, h) >= Smallest)
                {
                    slashes.Append(Sheet.PathOf($"M{x + c * w + w * 0.25} {y + r * h + h * 0.75}l{w * 0.5} {-h * 0.5}"));
                }
                else
                {
                    // Small cells: a line along the whole forbidden run, in every other row or so.
                    var run = cells.Columns - c;
                    if (r % Math.Max(1, (int)Math.Ceiling(3 / h)) == 0) slashes.Append(Sheet.PathOf($"M{x + c * w} {y + (r + 0.5) * h}h{run * w}"));
                    break;
                }
            }
        }

        if (slashes.Length > 0)
        {
            sheet.Body.Empty("path", ("d", slashes.ToString()), ("class", Tone.Muted.Stroke()), ("stroke-width", ".8"), ("opacity", ".55"));
        }
    }

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
    private sealed class Colours
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
