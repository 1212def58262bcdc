using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>The still picture of a chart: lines and heatmaps over titled axes, with a legend.</summary>
internal static class ChartFigure
{
    private const double LegendLeft = Sheet.Margin + 52, LegendRow = 16;
    private const int MostCells = 96, MostTitled = 1024, MostPoints = 1200, Shades = 32;

    private static readonly Tone[] tones = [Tone.Value, Tone.Loss, Tone.Gradient, Tone.Parameter, Tone.Negative, Tone.Ink];

    /// <summary>Draws the chart in its own size.</summary>
    public static Figure Draw(ChartFrame chart, FigureOptions? options = null)
    {
        var sheet = new Sheet((options ?? FigureOptions.Default).Theme);
        var title = chart.Title.Length > 0 ? chart.Title : "Chart";
        sheet.Header(chart.Width, title);
        var heatmap = chart.Traces.OfType<HeatTrace>().FirstOrDefault();
        var top = sheet.Top + (chart.HasLegend ? Legend(sheet, chart) : 0) + 4;
        var bottom = Math.Max(top + 60, chart.Height - Sheet.Margin - (chart.X.Title.Length > 0 ? 38 : 20));
        var y = Scale(chart.Y, Extent(chart, ofX: false), bottom, top, (int)((bottom - top) / 40));
        var left = Sheet.Margin + (chart.Y.Title.Length > 0 ? 26 : 10) + Math.Max(26, Widest(sheet, heatmap?.YLabels ?? y.Labels.Select(l => l.Text)));
        // Half of what stands below the last mark may lie to its right.
        var right = chart.Width - Sheet.Margin - Math.Max(8, Widest(sheet, Scale(chart.X, Extent(chart, ofX: true), 0, 1, 6).Labels.TakeLast(1).Select(l => l.Text)) / 2);
        var x = Scale(chart.X, Extent(chart, ofX: true), left, right, 6);
        Axes(sheet, chart, x, y, left, right, top, bottom);
        for (var i = 0; i < chart.Traces.Count; i++)
        {
            if (chart.Traces[i] is LineTrace line) Line(sheet, line, i, x, y);
            else if (chart.Traces[i] is HeatTrace heat) Heat(sheet, heat, x, y);
            sheet.Body.Line();
        }

        return Figure.From(sheet, chart.Width, Math.Max(chart.Height, bottom + 40), title, Summary(chart, title), Table(chart));
    }

    private static double Widest(Sheet sheet, IEnumerable<string> texts) => texts.Select(t => sheet.WidthOf(t, Face.Number)).DefaultIfEmpty(0).Max();

    private static Axis Scale(ChartAxis axis, (double Low, double High) extent, double from, double to, int ticks)
    {
        var (low, high) = axis.Range ?? extent;
        if (axis.IsReversed) (from, to) = (to, from);
        if (low > high) (low, high, from, to) = (high, low, to, from);
        return axis.IsLog && low > 0 ? Axis.Logarithmic(low, high, from, to) : Axis.Linear(low, high, from, to, Math.Max(2, ticks), t => Math.Abs(t) >= 1000 && t == Math.Round(t) ? Numbers.Count((int)t) : Numbers.Short(t));
    }

    private static (double Low, double High) Extent(ChartFrame chart, bool ofX)
    {
        var isLog = (ofX ? chart.X : chart.Y).IsLog;
        var values = chart.Traces.SelectMany(t => t switch
        {
            LineTrace line => ofX ? line.X : line.Y,
            HeatTrace heat => [-0.5, (ofX ? Columns(heat) : heat.Rows.Count) - 0.5],
            _ => [],
        }).Where(v => double.IsFinite(v) && (!isLog || v > 0)).DefaultIfEmpty(isLog ? 1 : 0).ToList();
        var (low, high) = (values.Min(), values.Max());
        var space = ofX || isLog || chart.Traces.Any(t => t is HeatTrace) ? 0 : 0.05 * (high - low);
        return (low - space, high + space);
    }

    private static int Columns(HeatTrace heat) => heat.Rows.Select(r => r.Count).DefaultIfEmpty(0).Max();

    private static void Axes(Sheet sheet, ChartFrame chart, Axis x, Axis y, double left, double right, double top, double bottom)
    {
        var heat = chart.Traces.OfType<HeatTrace>().FirstOrDefault();
        var labels = heat is not null ? heat.XLabels : chart.Traces.OfType<LineTrace>().FirstOrDefault(l => l.Labels is not null)?.Labels;
        foreach (var (at, text) in Marks(x, labels, heat is null ? null : Columns(heat), right - left, 34))
        {
            if (heat is null) sheet.Line(at, top, at, bottom, Tone.Rule);
            sheet.Text(at, bottom + 15, text, Face.Number.In(Tone.Muted), Anchor.Middle, fit: labels is null ? double.PositiveInfinity : 80);
        }

        foreach (var (at, text) in Marks(y, heat?.YLabels, heat?.Rows.Count, bottom - top, 13))
        {
            if (heat is null) sheet.Line(left, at, right, at, Tone.Rule);
            sheet.Text(left - 7, at + 4, text, Face.Number.In(Tone.Muted), Anchor.End);
        }

        sheet.Curve($"M{left} {top}V{bottom}H{right}", Tone.Muted);
        if (chart.X.Title.Length > 0) sheet.Text((left + right) / 2, bottom + 33, chart.X.Title, Face.Text, Anchor.Middle, fit: right - left);
        if (chart.Y.Title.Length > 0) sheet.Text(Sheet.Margin + 10, (top + bottom) / 2, chart.Y.Title, Face.Text, Anchor.Middle, fit: bottom - top, turn: -90);
    }

    /// <summary>Where an axis has marks and what stands there: words where there are some, otherwise numbers.</summary>
    private static IEnumerable<(double At, string Text)> Marks(Axis axis, IReadOnlyList<string>? labels, int? cells, double length, double pitch)
    {
        if ((labels?.Count ?? cells) is not { } count)
        {
            return axis.Labels.Select(l => (axis.At(l.Value), l.Text));
        }

        var every = Math.Max(1, (int)Math.Ceiling(count * Math.Min(pitch, 13) / Math.Max(1, length)));
        return Enumerable.Range(0, count).Where(i => i % every == 0).Select(i => (axis.At(i), labels is null ? i.ToString(CultureInfo.InvariantCulture) : labels[i]));
    }

    private static double Legend(Sheet sheet, ChartFrame chart)
    {
        var (x, y) = (LegendLeft, sheet.Top + 8);
        for (var i = 0; i < chart.Traces.Count; i++)
        {
            if (chart.Traces[i] is not LineTrace { Name.Length: > 0 } line) continue;

            var width = sheet.WidthOf(line.Name, Face.Note) + 42;
            if (x > LegendLeft && x + width > chart.Width - Sheet.Margin) (x, y) = (LegendLeft, y + LegendRow);
            Stroke(sheet, string.Create(CultureInfo.InvariantCulture, $"M{Numbers.Coordinate(x)} {Numbers.Coordinate(y)}h20"), line with { Thickness = Math.Max(line.Thickness, 1.5) }, i);
            sheet.Text(x + 26, y + 4, line.Name, Face.Note, fit: chart.Width - Sheet.Margin - x - 26);
            x += width;
        }

        return y + LegendRow - sheet.Top;
    }

    private static void Line(Sheet sheet, LineTrace line, int index, Axis x, Axis y)
    {
        var points = line.X.Zip(line.Y, (px, py) => (X: px, Y: py)).ToList();
        bool IsDrawn((double X, double Y) p) => double.IsFinite(p.X) && double.IsFinite(p.Y) && (!x.IsLog || p.X > 0) && (!y.IsLog || p.Y > 0);
        if (line.Thickness > 0)
        {
            var path = new StringBuilder();
            var down = false;
            var every = Math.Max(1, points.Count / MostPoints);
            for (var i = 0; i < points.Count; i += every)
            {
                if (IsDrawn(points[i])) path.Append(down ? 'L' : 'M').Append(Sheet.PathOf($"{x.At(points[i].X)} {y.At(points[i].Y)}"));
                down = IsDrawn(points[i]);
            }

            if (path.Length > 0) Stroke(sheet, path.ToString(), line, index);
        }

        if (line.MarkerSize > 0)
        {
            foreach (var point in points.Where(IsDrawn).Take(MostPoints))
            {
                sheet.Body.Empty(
                    "circle", ("cx", x.At(point.X)), ("cy", y.At(point.Y)), ("r", line.MarkerSize / 2),
                    ("class", line.Color is null ? tones[index % tones.Length].Fill() : null), ("fill", line.Color));
            }
        }
    }

    private static void Stroke(Sheet sheet, string path, LineTrace line, int index) => sheet.Body.Empty(
        "path", ("d", path), ("class", line.Color is null ? tones[index % tones.Length].Stroke() : null), ("fill", line.Color is null ? null : "none"),
        ("stroke", line.Color), ("stroke-width", line.Thickness), ("stroke-dasharray", line.Dash), ("stroke-linejoin", "round"));

    private static void Heat(Sheet sheet, HeatTrace heat, Axis x, Axis y)
    {
        var (rows, columns) = (heat.Rows.Count, Columns(heat));
        if (rows == 0 || columns == 0) return;

        var (down, across) = ((rows + MostCells - 1) / MostCells, (columns + MostCells - 1) / MostCells);
        var paths = new SortedDictionary<int, StringBuilder>();
        for (var r = 0; r < rows; r += down)
        {
            for (var c = 0; c < columns; c += across)
            {
                var value = c < heat.Rows[r].Count ? heat.Rows[r][c] : double.NaN;
                if (!double.IsFinite(value)) continue;

                var share = heat.High > heat.Low ? Math.Clamp((value - heat.Low) / (heat.High - heat.Low), 0, 1) : 0.5;
                var shade = (int)Math.Round(share * Shades);
                if (!paths.TryGetValue(shade, out var path)) paths[shade] = path = new();
                var (x1, x2, y1, y2) = (x.At(c - 0.5), x.At(Math.Min(c + across, columns) - 0.5), y.At(r - 0.5), y.At(Math.Min(r + down, rows) - 0.5));
                path.Append(Sheet.PathOf($"M{x1} {y1}H{x2}V{y2}H{x1}z"));
            }
        }

        foreach (var (shade, path) in paths) sheet.Body.Empty("path", ("d", path.ToString()), ("fill", Color(heat, (double)shade / Shades)), ("class", "dense"));
    }

    private static string Color(HeatTrace heat, double share)
    {
        var to = heat.Colors.FirstOrDefault(c => c.At >= share, heat.Colors[^1]);
        var from = heat.Colors.LastOrDefault(c => c.At <= share, heat.Colors[0]);
        var t = to.At > from.At ? (share - from.At) / (to.At - from.At) : 0;
        return $"#{Mix(from.Color.R, to.Color.R)}{Mix(from.Color.G, to.Color.G)}{Mix(from.Color.B, to.Color.B)}";

        string Mix(byte a, byte b) => ((int)Math.Round(a + t * (b - a))).ToString("x2", CultureInfo.InvariantCulture);
    }

    private static string Summary(ChartFrame chart, string title)
    {
        var text = new StringBuilder(title);
        text.Append(CultureInfo.InvariantCulture, $": {chart.Traces.Count} trace{(chart.Traces.Count == 1 ? "" : "s")}.");
        foreach (var trace in chart.Traces)
        {
            text.Append(trace switch
            {
                LineTrace line => string.Create(CultureInfo.InvariantCulture, $"\n  {Named(line)}: {line.Y.Count} points{(line.Y.Count > 0 ? $", {Numbers.Short(line.Y[0])} → {Numbers.Short(line.Y[^1])}" : "")}"),
                HeatTrace heat => string.Create(CultureInfo.InvariantCulture, $"\n  {Named(heat)}: {heat.Rows.Count} × {Columns(heat)} numbers"),
                _ => "",
            });
        }

        return text.ToString();
    }

    private static string Named(ChartTrace trace) => trace.Name.Length > 0 ? trace.Name : trace is HeatTrace ? "heatmap" : "line";

    private static IReadOnlyList<DataTable> Table(ChartFrame chart) => [.. chart.Traces.OfType<LineTrace>().Select(line => new DataTable(
        Named(line) + (line.Y.Count > MostTitled ? ", the first 1,024 points" : ""), 0, ["x", "y"],
        [.. line.X.Zip(line.Y).Take(MostTitled).Select((p, i) => (string[])[line.Labels?[i] ?? Numbers.Exact(p.First), Numbers.Exact(p.Second)])]))];
}
