using System.Globalization;

namespace GradScope.Figures;

/// <summary>Small multiples above each other over one axis of steps.</summary>
internal sealed class TrainingDrawing
{
    private const double Width = 660, Left = Sheet.Margin + 52, Right = Width - 118;

    private readonly Run run;
    private readonly string title;
    private readonly int window;
    private readonly CurvePanels panels;

    public TrainingDrawing(Run run, string title, FigureOptions options)
    {
        (this.run, this.title) = (run, title);
        Sheet = new(options.Theme);
        window = CurvePanels.WindowOf(run.Metrics.Length);
        panels = new(Sheet, Left, Right, window);
    }

    public Sheet Sheet { get; }

    public (double Width, double Height) Draw()
    {
        var model = run.Model.Config;
        Sheet.Header(
            Width, title,
            [
                string.Create(CultureInfo.InvariantCulture, $"{Numbers.Count(run.Metrics.Length)} step{(run.Metrics.Length == 1 ? "" : "s")} · {run.Optimizer} · batch size {run.BatchSize}"),
                string.Create(CultureInfo.InvariantCulture, $"{model.LayerCount} layers × {model.HeadCount} heads, width {model.ModelDim}, {Numbers.Count(run.Model.ParameterCount)} parameters{ModelFigure.FrozenWords(run.Model)}"),
                .. Last(),
            ]);
        if (run.Metrics.IsEmpty)
        {
            return (Width, Sheet.Notes(Sheet.Margin, Sheet.Top, Width - 2 * Sheet.Margin, "No step was made yet.") + Sheet.Margin);
        }

        var metrics = run.Metrics;
        var steps = Axis.Linear(Math.Min(metrics[0].Step, 1) - 1, metrics[^1].Step, Left, Right, 5);
        var y = Sheet.Top + 6;
        Curve train = new("train", Tone.Loss, [.. metrics.Select(m => (m.Step, m.Loss))]);
        Curve validation = new("validation", Tone.Ink, [.. metrics.Where(m => m.ValidationLoss is not null).Select(m => (m.Step, m.ValidationLoss!.Value))]);
        y = panels.Draw("loss, nats", 190, steps, y, Numbers.Short, isLog: false, [train], validation, run.Baselines);
        y = panels.Draw("accuracy", 84, steps, y, Numbers.Percent, isLog: false,
            [new("train", Tone.Value, [.. metrics.Select(m => (m.Step, m.Accuracy))])],
            new("validation", Tone.Ink, [.. metrics.Where(m => m.ValidationAccuracy is not null).Select(m => (m.Step, m.ValidationAccuracy!.Value))]), []);
        y = panels.Draw("gradient norm, before clipping (log)", 84, steps, y, Numbers.Short, isLog: true, [new("", Tone.Gradient, [.. metrics.Select(m => (m.Step, m.GradientNorm))])], null, []);
        y = panels.Draw("update ratio ‖update‖ / ‖weights‖ (log)", 84, steps, y, Numbers.Short, isLog: true, [new("", Tone.Parameter, [.. metrics.Select(m => (m.Step, m.UpdateRatio))])], null, []);
        y = panels.Draw("learning rate", 56, steps, y, Numbers.Short, isLog: false, [new("", Tone.Muted, [.. metrics.Select(m => (m.Step, m.LearningRate))])], null, [], smooth: false);
        panels.Steps(steps, y - CurvePanels.Space + 4);
        return (Width, Notes(y - CurvePanels.Space + 38) + Sheet.Margin - 4);
    }

    /// <summary>The last step's numbers, for those who see only the figure's left side.</summary>
    private string[] Last()
    {
        if (run.Metrics.IsEmpty) return [];

        var last = run.Metrics[^1];
        var held = run.Metrics.LastOrDefault(m => m.ValidationLoss is not null)?.ValidationLoss;
        return [$"last step: loss {Numbers.Short(last.Loss)}, accuracy {Numbers.Percent(last.Accuracy)}{(held is { } loss ? $" · validation {Numbers.Short(loss)}" : "")}"];
    }

    private double Notes(double y)
    {
        List<string> notes = [];
        if (window > 1) notes.Add(string.Create(CultureInfo.InvariantCulture, $"Thin: each step. Bold: the mean of the last {window} steps; its last value stands at the end. Validation is drawn as measured."));
        if (run.Metrics.Length > Right - Left) notes.Add(string.Create(CultureInfo.InvariantCulture, $"{Numbers.Count(run.Metrics.Length)} steps in {(int)(Right - Left)} pixels: a thin stroke spans its pixel's lowest and highest step."));
        if (TrainingFigure.WithoutBackprop(run) is { } idle) notes.Add(idle);
        if (panels.NotFinite > 0) notes.Add($"{Numbers.Count(panels.NotFinite)} numbers are NaN or ∞; crosses at the top mark their steps.");
        return Sheet.Notes(Sheet.Margin, y, Width - 2 * Sheet.Margin, [.. notes]);
    }
}
