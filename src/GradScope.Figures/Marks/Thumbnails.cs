using System.Text;

namespace GradScope.Figures;

/// <summary>
/// Small maps, written together: of small cells what has one colour is one path, in units of a cell; and the frames stand by
/// themselves, in the order of the maps, for a script to read.
/// </summary>
internal sealed class Thumbnails(Sheet sheet)
{
    /// <summary>The class of the frames' group.</summary>
    public const string Class = "maps";

    private readonly List<Map> maps = [];

    public void Add(Cells cells, Ramp ramp, double x, double y, double size, string title) => maps.Add(new(cells, ramp, x, y, size, title));

    /// <summary>Writes the maps that were added.</summary>
    public void Write()
    {
        if (maps.Count == 0) return;

        // Cells with room for marks, and with neighbours above and below, are told apart one by one.
        var spaced = maps.ToLookup(map => map.Size >= Heatmap.Smallest && (map.Cells.Rows > 1 || map.Cells.AnyNegative || map.Cells.NotFinite > 0));
        foreach (var (cells, ramp, x, y, size, _) in spaced[true]) Heatmap.DrawCells(sheet, cells, ramp, x, y, size, size);
        foreach (var same in spaced[false].GroupBy(map => map.Size)) Write(same.Key, [.. same]);

        using (sheet.Group(classes: $"{Tone.Rule.Stroke()} {Class}"))
        {
            foreach (var (cells, _, x, y, size, title) in maps) sheet.Path(Heatmap.Frame(x, y, size * cells.Columns, size * cells.Rows), title);
        }

        sheet.Body.Line();
        maps.Clear();
    }

    private void Write(double size, IReadOnlyList<Map> maps)
    {
        var (left, top) = (maps[0].X, maps[0].Y);
        var paths = new Heatmap.Colours();
        var hatch = new StringBuilder();
        foreach (var (cells, ramp, x, y, _, _) in maps)
        {
            var (column, row) = ((x - left) / size, (y - top) / size);
            var down = Heatmap.Runs(cells, ramp, areDown: true).ToLookup(run => (run.Tone, run.Step), run => (run.Row, run.Column, run.Length));
            foreach (var colour in Heatmap.Runs(cells, ramp).GroupBy(run => (run.Tone, run.Step), run => (run.Row, run.Column, run.Length)))
            {
                var (across, along) = (Strokes(colour, column, row), Strokes(down[colour.Key], column, row, areDown: true));
                paths[colour.Key.Tone, colour.Key.Step].Append(across.Length <= along.Length ? across : along);
            }

            hatch.Append(Strokes(Heatmap.ForbiddenRuns(cells, size), column, row));
        }

        // Half a cell down: a stroke lies on both sides of its path.
        using (sheet.Body.Open("g", ("transform", Sheet.PathOf($"translate({left} {top + size / 2})scale({size})")), ("class", "dense")))
        {
            foreach (var (tone, step, path) in paths.All) sheet.Body.Empty("path", ("d", path), ("class", tone.Stroke() + Ramp.Class(step)));
            if (hatch.Length > 0) Heatmap.Hatch(sheet, hatch.ToString(), size);
        }

        sheet.Body.Line();
    }

    /// <summary>Runs of cells as strokes along their middles, each from where the one before it ended.</summary>
    private static string Strokes(IEnumerable<(int Row, int Column, int Length)> runs, double left, double top, bool areDown = false)
    {
        var path = new StringBuilder();
        var (x, y) = (0, 0);
        foreach (var (row, column, length) in runs)
        {
            path.Append(path.Length > 0 ? Sheet.PathOf($"m{column - x} {row - y}") : areDown ? Sheet.PathOf($"M{left + column + 0.5} {top + row - 0.5}") : Sheet.PathOf($"M{left + column} {top + row}"));
            path.Append(areDown ? Sheet.PathOf($"v{length}") : Sheet.PathOf($"h{length}"));
            (x, y) = areDown ? (column, row + length) : (column + length, row);
        }

        return path.Replace(" -", "-").ToString();
    }

    private readonly record struct Map(Cells Cells, Ramp Ramp, double X, double Y, double Size, string Title);
}
