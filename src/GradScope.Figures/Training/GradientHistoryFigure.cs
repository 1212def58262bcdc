using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>How strongly the loss pulled at each parameter over a run: parameters down, steps across, gradient norms as colours on a log scale.</summary>
public static class GradientHistoryFigure
{
    private const double Width = 660, Left = Sheet.Margin + 160, Right = Width - 80, RowHeight = 13;
    private const int MostColumns = 150, MostRows = 80;

    /// <summary>Draws the run's gradient norms; where there are more steps than columns, a column shows the largest norm of its steps.</summary>
    public static Figure Draw(Run run, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Gradient history: " + run.Task;
        var sheet = new Sheet(options.Theme);
        sheet.Header(Width, title, string.Create(CultureInfo.InvariantCulture, $"{run.GradientNorms.Length} steps · {run.ParameterNames.Length} parameters · ‖gradient‖ before clipping"));
        var (steps, parameters) = (run.GradientNorms.Length, Math.Min(MostRows, run.ParameterNames.Length));
        if (steps == 0 || parameters == 0)
        {
            var end = sheet.Notes(Sheet.Margin, sheet.Top, Width - 2 * Sheet.Margin, "No step was made yet.");
            return Figure.From(sheet, Width, end + Sheet.Margin, title, $"{title}: no step was made yet.");
        }

        var norms = new Tensor([parameters, steps], [.. Enumerable.Range(0, parameters).SelectMany(p => run.GradientNorms.Select(step => step[p]))]);
        var thin = Cells.Of(norms).Thin(parameters, MostColumns);
        var scale = LogScale.Of([], [.. norms.Values.ToArray().Select(n => (double?)n)]);
        var top = Legend(sheet, scale, sheet.Top + 4);
        for (var p = 0; p < parameters; p++)
        {
            var y = top + p * RowHeight + 10;
            sheet.Text(Sheet.Margin, y, GradientFlowFigure.WithoutWeight(run.ParameterNames[p]), Face.Number.In(Tone.Parameter), fit: Left - Sheet.Margin - 10, title: run.ParameterNames[p]);
            var last = norms[p, steps - 1];
            sheet.Text(Right + 7, y, Numbers.Short(last), Face.Number.In(float.IsFinite(last) ? Tone.Gradient : Tone.Loss), title: $"{run.ParameterNames[p]} at the last step: {Numbers.Exact(last)}");
        }

        var bottom = top + parameters * RowHeight;
        var payload = new Payload("maps");
        var map = payload.AddMap("‖∂L/∂parameter‖", thin, null, new("parameter", [.. run.ParameterNames.Take(parameters)]), new("step", From: FirstStep(run)));
        Heatmap.Draw(sheet, thin.Select(n => float.IsFinite(n) ? n <= 0 ? 0 : (float)(0.1 + 0.9 * scale.At(n)) : n), new(Tone.Gradient, Tone.Negative, 1), Left, top, Right - Left, parameters * RowHeight, map: map);
        var axis = Axis.Linear(FirstStep(run) - 1, FirstStep(run) + steps - 1, Left, Right, 5);
        foreach (var tick in axis.Ticks.Where(t => t == Math.Round(t)))
        {
            sheet.Line(axis.At(tick), bottom, axis.At(tick), bottom + 4, Tone.Muted);
            sheet.Text(axis.At(tick), bottom + 16, Numbers.Count((int)tick), Face.Number.In(Tone.Muted), Anchor.Middle);
        }

        sheet.Text(Left - 12, bottom + 16, "step", Face.Note, Anchor.End);
        sheet.Text(Right + 7, top - 6, "last", Face.Note);
        List<string> notes = [];
        if (thin.ColumnBlock > 1) notes.Add($"Each column shows the largest norm of {thin.ColumnBlock} steps.");
        if (thin.NotFinite > 0) notes.Add($"{Numbers.Count(thin.NotFinite)} cells in the alarm colour hold NaN or ∞.");
        if (parameters < run.ParameterNames.Length) notes.Add($"The first {parameters} of {Numbers.Count(run.ParameterNames.Length)} parameters are drawn.");
        var under = sheet.Notes(Sheet.Margin, bottom + 24, Width - 2 * Sheet.Margin, [.. notes]);
        return Figure.From(sheet, Width, under + Sheet.Margin - 4, title, Summary(run, title), payload, [Table(run)]);
    }

    private static int FirstStep(Run run) => run.Metrics.IsEmpty ? 1 : run.Metrics[0].Step;

    private static double Legend(Sheet sheet, LogScale scale, double y)
    {
        var x = Left;
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
