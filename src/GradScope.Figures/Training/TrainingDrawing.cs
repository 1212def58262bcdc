using System.Globalization;
using System.Text.Json.Nodes;

namespace GradScope.Figures;

/// <summary>Small multiples above each other over one axis of steps.</summary>
internal sealed class TrainingDrawing
{
    private const double Wide = 660;
    private const int MostRead = 500, FewestZoomed = 6;

    private readonly Run run;
    private readonly string title;
    private readonly double width;
    private readonly DrawnMaps<string> maps;
    private readonly CurvePanels panels;

    private TrainingDrawing(Run run, string title, FigureOptions options, double width, DrawnMaps<string> maps)
    {
        (this.run, this.title, this.width, this.maps) = (run, title, width, maps);
        Sheet = width == Wide ? new(options.Theme) : Sheet.ForNarrow(options.Theme);
        var metrics = run.Metrics;
        panels = new(
            Sheet, Sheet.Margin, width - Sheet.Margin / 2, metrics.Length, namesStandAbove: width < Wide,
            new CurvePanel("loss, nats", 190, Numbers.Short, new Curve("train", Tone.Loss, Points(m => m.Loss))) { Held = new("validation", Tone.Ink, Points(m => m.ValidationLoss)), Baselines = run.Baselines },
            new CurvePanel("accuracy", 84, Numbers.Percent, new Curve("train", Tone.Value, Points(m => m.Accuracy))) { Held = new("validation", Tone.Ink, Points(m => m.ValidationAccuracy)) },
            new CurvePanel("gradient norm, before clipping (log)", 84, Numbers.Short, new Curve("", Tone.Gradient, Points(m => m.GradientNorm))) { IsLog = true },
            new CurvePanel("update ratio ‖update‖ / ‖weights‖ (log)", 84, Numbers.Short, new Curve("", Tone.Parameter, Points(m => m.UpdateRatio))) { IsLog = true },
            new CurvePanel("learning rate", 56, Numbers.Short, new Curve("", Tone.Muted, Points(m => m.LearningRate))) { IsSmoothed = false });
    }

    private Sheet Sheet { get; }

    /// <summary>The drawing for most places, the one for narrow ones, and the numbers of each step for a script to read.</summary>
    public static (Drawing Wide, Drawing Narrow, Payload? Payload) Of(Run run, string title, FigureOptions options)
    {
        var maps = new DrawnMaps<string>(run.Metrics.Length < FewestZoomed ? "maps" : "curves");
        return (new TrainingDrawing(run, title, options, Wide, maps).Draw(), new TrainingDrawing(run, title, options, Sheet.Narrow, maps).Draw(), maps.Payload);
    }

    private Drawing Draw()
    {
        var model = run.Model.Config;
        Sheet.Header(
            width, title,
            [
                string.Create(CultureInfo.InvariantCulture, $"{Numbers.Count(run.Metrics.Length)} step{(run.Metrics.Length == 1 ? "" : "s")} · {run.Optimizer} · batch size {run.BatchSize}"),
                string.Create(CultureInfo.InvariantCulture, $"{model.LayerCount} layers × {model.HeadCount} heads, width {model.ModelDim}, {Numbers.Count(run.Model.ParameterCount)} parameters{ModelFigure.FrozenWords(run.Model)}"),
                .. Last(),
            ]);
        if (run.Metrics.IsEmpty)
        {
            return new(Sheet, width, Sheet.Notes(Sheet.Margin, Sheet.Top, width - 2 * Sheet.Margin, "No step was made yet.") + Sheet.Margin);
        }

        var steps = Axis.Linear(FirstShown, run.Metrics[^1].Step, panels.Left, panels.Right, width < Wide ? 3 : 5);
        var (top, y) = (Sheet.Top + 6, Sheet.Top + 6);
        while (panels.Any) y = panels.Draw(steps, y);
        panels.Steps(steps, y - CurvePanels.Space + 4);
        // A step's numbers are read where it stands, from the first panel to the last.
        if (Read is [var first, .., var last] && last.Step - first.Step == Every * (Read.Count - 1))
        {
            var (from, to) = (steps.At(first.Step - Every / 2.0), steps.At(last.Step + Every / 2.0));
            var height = y - CurvePanels.Space - top - 20;
            using (panels.Along(top + 20, height)) Heatmap.Hit(Sheet, maps.Of("steps", Steps), from, top + 20, to - from, height);
        }

        return new(Sheet, width, Notes(y - CurvePanels.Space + 38) + Sheet.Margin - 4);
    }

    /// <summary>The step before the first, where the axis begins.</summary>
    private int FirstShown => Math.Min(run.Metrics[0].Step, 1) - 1;

    /// <summary>Each how many steps one is read.</summary>
    private int Every => (run.Metrics.Length + MostRead - 1) / MostRead;

    private List<Metrics> Read => [.. run.Metrics.Where((_, i) => (i + 1) % Every == 0)];

    private int Steps(Payload payload)
    {
        var read = Read;
        // The axis in columns of what is read: where it begins, and how long it is.
        payload.Head["axis"] = new JsonArray((double)(FirstShown - read[0].Step) / Every, (double)(run.Metrics[^1].Step - FirstShown) / Every);
        return payload.AddCurves(
            "each step’s numbers (plus and minus zoom, 0 shows all steps)", new("step", From: read[0].Step, Every: Every),
            ("loss", Values(m => m.Loss)), ("validation loss", Values(m => m.ValidationLoss)), ("accuracy", Values(m => m.Accuracy)), ("validation accuracy", Values(m => m.ValidationAccuracy)),
            ("gradient norm", Values(m => m.GradientNorm)), ("update ratio", Values(m => m.UpdateRatio)), ("learning rate", Values(m => m.LearningRate)));

        IReadOnlyList<double?> Values(Func<Metrics, double?> number) => [.. read.Select(number)];
    }

    private (int, double)[] Points(Func<Metrics, double?> number) => [.. run.Metrics.Where(m => number(m) is not null).Select(m => (m.Step, number(m)!.Value))];

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
        if (panels.Window > 1) notes.Add(string.Create(CultureInfo.InvariantCulture, $"Thin: each step. Bold: the mean of the last {panels.Window} steps; its last value stands at the end. Validation is drawn as measured."));
        var (thin, bold) = (StepsIn(panels.Columns), StepsIn(panels.BoldColumns));
        if (thin > 1) notes.Add(string.Create(CultureInfo.InvariantCulture, $"{Numbers.Count(run.Metrics.Length)} steps in {panels.Columns} pixels: a thin stroke goes from lowest to highest of up to {thin} steps, a bold one of up to {bold}."));
        else if (panels.Window > 1 && bold > 2) notes.Add(string.Create(CultureInfo.InvariantCulture, $"A bold stroke spans the lowest and the highest of up to {bold} steps."));
        if (Every > 1) notes.Add($"Numbers are read of every {Numbers.Ordinal(Every)} step.");
        if (TrainingFigure.WithoutBackprop(run) is { } idle) notes.Add(idle);
        if (panels.NotFinite > 0) notes.Add($"{Numbers.Count(panels.NotFinite)} numbers are NaN or ∞; crosses at the top mark their steps.");
        return Sheet.Notes(Sheet.Margin, y, width - 2 * Sheet.Margin, [.. notes]);

        int StepsIn(int columns) => (run.Metrics.Length + columns - 1) / columns;
    }
}
