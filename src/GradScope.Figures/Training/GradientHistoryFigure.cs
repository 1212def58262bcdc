using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>How strongly the loss pulled at each parameter over a run: parameters down, steps across, gradient norms as colours on a log scale.</summary>
public static class GradientHistoryFigure
{
    private const double Wide = 660, LongestName = 150, RowHeight = 13;
    private const int MostColumns = 150, MostColumnsNarrow = 75, MostRows = 80;

    /// <summary>Draws the run's gradient norms; where there are more steps than columns, a column shows the largest norm of its steps.</summary>
    public static Figure Draw(Run run, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Gradient history: " + run.Task;
        if (run.GradientNorms.IsEmpty || run.ParameterNames.IsEmpty)
        {
            var sheet = new Sheet(options.Theme);
            sheet.Header(Sheet.Narrow, title, "No step was made yet.");
            return Figure.From(sheet, Sheet.Narrow, sheet.Top + Sheet.Margin, title, $"{title}: no step was made yet.");
        }

        var payload = new Payload("maps");
        return Figure.From(Draw(run, title, options, Wide, payload), Draw(run, title, options, Sheet.Narrow, payload), title, Summary(run, title), payload, [Table(run)]);
    }

    private static Drawing Draw(Run run, string title, FigureOptions options, double width, Payload payload)
    {
        var sheet = width == Wide ? new Sheet(options.Theme) : Sheet.ForNarrow(options.Theme);
        sheet.Header(width, title, string.Create(CultureInfo.InvariantCulture, $"{run.GradientNorms.Length} steps · {run.ParameterNames.Length} parameters · ‖gradient‖ before clipping"));
        var (steps, parameters, isWide) = (run.GradientNorms.Length, Math.Min(MostRows, run.ParameterNames.Length), width == Wide);
        var norms = new Tensor([parameters, steps], [.. Enumerable.Range(0, parameters).SelectMany(p => run.GradientNorms.Select(step => step[p]))]);
        var thin = Cells.Of(norms).Thin(parameters, isWide ? MostColumns : MostColumnsNarrow);
        var scale = LogScale.Of([], [.. norms.Values.ToArray().Select(n => (double?)n)]);

        string[] names = [.. run.ParameterNames.Take(parameters).Select(name => NameOf(name, isWide))];
        string[] last = [.. names.Select((_, p) => Numbers.Short(norms[p, steps - 1]))];
        var left = Sheet.Margin + Math.Min(LongestName, Widest(names)) + 10;
        var right = width - Sheet.Margin - (isWide ? Widest(last) + 7 : 0);
        var top = Legend(sheet, scale, isWide ? left : Sheet.Margin, sheet.Top + 4);
        for (var p = 0; p < parameters; p++)
        {
            var y = top + p * RowHeight + 10;
            sheet.Text(Sheet.Margin, y, names[p], Face.Number.In(Tone.Parameter), fit: left - Sheet.Margin - 8, title: run.ParameterNames[p]);
            var norm = norms[p, steps - 1];
            if (isWide) sheet.Text(right + 7, y, last[p], Face.Number.In(float.IsFinite(norm) ? Tone.Gradient : Tone.Loss), title: $"{run.ParameterNames[p]} at the last step: {Numbers.Exact(norm)}");
        }

        var bottom = top + parameters * RowHeight;
        var map = payload.AddMap("‖∂L/∂parameter‖", thin, null, new("parameter", [.. run.ParameterNames.Take(parameters)]), new("step", From: FirstStep(run)));
        Heatmap.Draw(sheet, thin.Select(n => float.IsFinite(n) ? n <= 0 ? 0 : (float)(0.1 + 0.9 * scale.At(n)) : n), new(Tone.Gradient, Tone.Negative, 1), left, top, right - left, parameters * RowHeight, map: map);
        var axis = Axis.Linear(FirstStep(run) - 1, FirstStep(run) + steps - 1, left, right, isWide ? 5 : 3);
        foreach (var tick in axis.Ticks.Where(t => t == Math.Round(t)))
        {
            sheet.Line(axis.At(tick), bottom, axis.At(tick), bottom + 4, Tone.Muted);
            sheet.Text(axis.At(tick), bottom + 16, Numbers.Count((int)tick), Face.Number.In(Tone.Muted), Anchor.Middle);
        }

        sheet.Text(left - 12, bottom + 16, "step", Face.Note, Anchor.End);
        if (isWide) sheet.Text(right + 7, top - 6, "last", Face.Note);
        List<string> notes = [];
        if (thin.ColumnBlock > 1) notes.Add($"Each column shows the largest norm of {thin.ColumnBlock} steps.");
        if (thin.NotFinite > 0) notes.Add($"{Numbers.Count(thin.NotFinite)} cells in the alarm colour hold NaN or ∞.");
        if (parameters < run.ParameterNames.Length) notes.Add($"The first {parameters} of {Numbers.Count(run.ParameterNames.Length)} parameters are drawn.");
        return new(sheet, width, sheet.Notes(Sheet.Margin, bottom + 24, width - 2 * Sheet.Margin, [.. notes]) + Sheet.Margin - 4);

        double Widest(IEnumerable<string> texts) => Math.Ceiling(texts.Max(t => sheet.WidthOf(t, Face.Number)));
    }

    /// <summary>A parameter as in code; where there is little room the blocks go by their numbers.</summary>
    private static string NameOf(string name, bool isWide)
    {
        var shown = GradientFlowFigure.WithoutWeight(name);
        return !isWide && shown.StartsWith("blocks.", StringComparison.Ordinal) ? shown["blocks.".Length..] : shown;
    }

    private static int FirstStep(Run run) => run.Metrics.IsEmpty ? 1 : run.Metrics[0].Step;

    private static double Legend(Sheet sheet, LogScale scale, double x, double y)
    {
        for (var i = 0; i < 12; i++)
        {
            sheet.Rect(x + i * 12, y, 12, 8, Tone.Gradient.Fill() + Ramp.Class(Math.Clamp((int)Math.Round((0.1 + 0.9 * i / 11) * Ramp.Steps), 1, Ramp.Steps)));
        }

        sheet.Rect(x - 0.5, y - 0.5, 145, 9, Tone.Rule.Stroke());
        sheet.Text(x, y + 20, "≤ " + Numbers.PowerOfTen(scale.Low), Face.Number.In(Tone.Muted));
        sheet.Text(x + 144, y + 20, Numbers.PowerOfTen(scale.High), Face.Number.In(Tone.Muted), Anchor.End);
        sheet.Text(x + 156, y + 8, "log scale; paper is a gradient of 0", Face.Note);
        return y + 32;
    }

    private static string Summary(Run run, string title)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{title}: ‖gradient‖ of {run.ParameterNames.Length} parameters over {run.GradientNorms.Length} steps, first → last:");
        for (var p = 0; p < run.ParameterNames.Length; p++)
        {
            text.Append($"\n  {run.ParameterNames[p]}  {Numbers.Short(run.GradientNorms[0][p])} → {Numbers.Short(run.GradientNorms[^1][p])}");
        }

        return text.ToString();
    }

    private static DataTable Table(Run run)
    {
        var columns = Enumerable.Range(0, 8).Select(i => i * (run.GradientNorms.Length - 1) / 7).Distinct().ToList();
        return new(
            "Norms at some steps", 1, ["parameter", .. columns.Select(c => string.Create(CultureInfo.InvariantCulture, $"step {FirstStep(run) + c}"))],
            [.. run.ParameterNames.Select((name, p) => (string[])[name, .. columns.Select(c => Numbers.Exact(run.GradientNorms[c][p]))])]);
    }
}
