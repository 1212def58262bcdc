using System.Globalization;

namespace GradScope.Figures;

/// <summary>Small multiples above each other over one axis of steps.</summary>
internal sealed class TrainingDrawing
{
    private const double Width = 660, Left = Sheet.Margin + 52, Right = Width - 118, Space = 30;
    private const int FewestToSmooth = 40;

    private readonly Run run;
    private readonly string title;
    private readonly int window;
    private int notFinite;

    public TrainingDrawing(Run run, string title, FigureOptions options)
    {
        (this.run, this.title) = (run, title);
        Sheet = new(options.Theme);
        window = run.Metrics.Length < FewestToSmooth ? 1 : Math.Max(2, run.Metrics.Length / 25);
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
        y = Panel("loss, nats", 190, steps, y, Numbers.Short, isLog: false, [train], validation, run.Baselines);
        y = Panel("accuracy", 84, steps, y, Numbers.Percent, isLog: false,
            [new("train", Tone.Value, [.. metrics.Select(m => (m.Step, m.Accuracy))])],
            new("validation", Tone.Ink, [.. metrics.Where(m => m.ValidationAccuracy is not null).Select(m => (m.Step, m.ValidationAccuracy!.Value))]), []);
        y = Panel("gradient norm, before clipping (log)", 84, steps, y, Numbers.Short, isLog: true, [new("", Tone.Gradient, [.. metrics.Select(m => (m.Step, m.GradientNorm))])], null, []);
        y = Panel("update ratio ‖update‖ / ‖weights‖ (log)", 84, steps, y, Numbers.Short, isLog: true, [new("", Tone.Parameter, [.. metrics.Select(m => (m.Step, m.UpdateRatio))])], null, []);
        y = Panel("learning rate", 56, steps, y, Numbers.Short, isLog: false, [new("", Tone.Muted, [.. metrics.Select(m => (m.Step, m.LearningRate))])], null, [], smooth: false);
        Steps(steps, y - Space + 4);
        return (Width, Notes(y - Space + 38) + Sheet.Margin - 4);
    }

    /// <summary>The last step's numbers, for those who see only the figure's left side.</summary>
    private string[] Last()
    {
        if (run.Metrics.IsEmpty) return [];

        var last = run.Metrics[^1];
        var held = run.Metrics.LastOrDefault(m => m.ValidationLoss is not null)?.ValidationLoss;
        return [$"last step: loss {Numbers.Short(last.Loss)}, accuracy {Numbers.Percent(last.Accuracy)}{(held is { } loss ? $" · validation {Numbers.Short(loss)}" : "")}"];
    }

    private double Panel(string name, double height, Axis steps, double y, Func<double, string> format, bool isLog, IReadOnlyList<Curve> curves, Curve? held, IReadOnlyList<Baseline> baselines, bool smooth = true)
    {
        Sheet.Text(Sheet.Margin, y + 12, name, Face.Text);
        var (top, bottom) = (y + 24, y + 24 + height);
        var all = curves.Concat(held is null ? [] : [held]).ToList();
        if (Scale(all.SelectMany(c => c.Finite).Concat(baselines.Select(b => b.Loss)).Where(v => !isLog || v > 0).ToList(), isLog, height, top, bottom) is not { } axis)
        {
            Sheet.Text(Left, top + 14, isLog ? "no positive, finite number to draw" : "no finite number to draw", Face.Note.In(Tone.Loss));
            return bottom + Space;
        }

        foreach (var tick in axis.Ticks)
        {
            Sheet.Line(Left, axis.At(tick), Right, axis.At(tick), Tone.Rule);
            var decade = (int)Math.Round(Math.Log10(Math.Max(tick, 1e-300)));
            Sheet.Text(Left - 8, axis.At(tick) + 4, isLog ? Numbers.PowerOfTen(decade) : format(Math.Abs(tick) < 1e-12 ? 0 : tick), Face.Number.In(Tone.Muted), Anchor.End);
        }

        var ends = new List<(double Y, string Text, Tone Tone)>();
        foreach (var curve in curves)
        {
            var smoothed = smooth && window > 1 ? curve.Smooth(window) : curve;
            var columns = (int)(Right - Left);
            if (smoothed != curve) Line(curve.Path(steps, axis, columns), curve.Tone, 1, 0.4);
            Line(smoothed.Path(steps, axis, columns / 4), curve.Tone, 1.8, 1);
            Bad(curve, steps, top);
            End(curve.Name, smoothed);
        }

        if (held is { Points.Count: > 0 })
        {
            Line(held.Path(steps, axis, 200), held.Tone, 1.2, 1);
            foreach (var (step, value) in held.Points.Count <= 60 ? held.Points : []) if (double.IsFinite(value)) Sheet.Circle(steps.At(step), axis.At(value), 2.2, held.Tone.Fill(), $"step {step}: {Numbers.Exact(value)}");
            End(held.Name, held);
        }

        Baselines(baselines, axis);
        var previous = double.NegativeInfinity;
        foreach (var (at, text, tone) in ends.OrderBy(e => e.Y))
        {
            previous = Math.Max(at, previous + 14);
            Sheet.Text(Right + 7, previous + 4, text, Face.Number.In(tone));
        }

        Sheet.Body.Line();
        return bottom + Space;

        void End(string label, Curve curve)
        {
            var (step, last) = curve.Points.LastOrDefault(p => double.IsFinite(p.Value) && (!isLog || p.Value > 0));
            if (step > 0) ends.Add((axis.At(last), label.Length > 0 ? $"{format(last)} {label}" : format(last), curve.Tone));
        }
    }

    private static Axis? Scale(IReadOnlyList<double> values, bool isLog, double height, double top, double bottom)
    {
        if (values.Count == 0) return null;
        if (isLog) return Axis.Logarithmic(values.Min(), values.Max(), bottom, top);

        var (low, high) = (values.Min(), values.Max());
        // A curve that comes near zero, in its own range, is shown with zero.
        low = low >= 0 && low < 0.35 * high ? 0 : low - 0.04 * (high - low);
        return Axis.Linear(low, high + 0.04 * (high - low), bottom, top, (int)(height / 28));
    }

    /// <summary>Dashed lines with their names on the right half, where a falling curve leaves room, each above its line.</summary>
    private void Baselines(IReadOnlyList<Baseline> baselines, Axis axis)
    {
        var free = double.PositiveInfinity;
        foreach (var baseline in baselines.Where(b => double.IsFinite(b.Loss)).OrderByDescending(b => axis.At(b.Loss)))
        {
            var y = axis.At(baseline.Loss);
            Sheet.Line(Left, y, Right, y, Tone.Muted, 1.2, baseline.IsFloor ? "2 3" : "6 4");
            var text = $"{baseline.Name} {baseline.Loss.ToString("0.000", CultureInfo.InvariantCulture)}{(baseline.IsFloor ? " (floor)" : "")}";
            var place = Math.Min(y - 4, free - 14);
            Sheet.Text(Right - 4, place, text, Face.Note, Anchor.End, fit: (Right - Left) / 2, halo: true);
            free = place;
        }
    }

    private void Line(string path, Tone tone, double width, double opacity)
    {
        if (path.Length > 0) Sheet.Body.Empty("path", ("d", path), ("class", tone.Stroke()), ("stroke-width", width), ("stroke-linejoin", "round"), ("opacity", opacity == 1 ? null : Numbers.Coordinate(opacity)));
    }

    /// <summary>A cross at the top for each step whose number is NaN or infinite.</summary>
    private void Bad(Curve curve, Axis steps, double top)
    {
        var bad = curve.Points.Where(p => !double.IsFinite(p.Value)).ToList();
        notFinite += bad.Count;
        foreach (var (step, _) in bad.Take(100))
        {
            var x = steps.At(step);
            Sheet.Curve($"M{x - 3} {top - 3}l6 6M{x + 3} {top - 3}l-6 6", Tone.Loss, 1.5);
        }
    }

    private void Steps(Axis steps, double y)
    {
        Sheet.Line(Left, y - 4, Right, y - 4, Tone.Muted);
        foreach (var tick in steps.Ticks.Where(t => t == Math.Round(t)))
        {
            Sheet.Line(steps.At(tick), y - 4, steps.At(tick), y, Tone.Muted);
            Sheet.Text(steps.At(tick), y + 12, Numbers.Count((int)tick), Face.Number.In(Tone.Muted), Anchor.Middle);
        }

        Sheet.Text(Left - 8, y + 12, "step", Face.Note, Anchor.End);
    }

    private double Notes(double y)
    {
        List<string> notes = [];
        if (window > 1) notes.Add(string.Create(CultureInfo.InvariantCulture, $"Thin: each step. Bold: the mean of the last {window} steps; its last value stands at the end. Validation is drawn as measured."));
        if (run.Metrics.Length > Right - Left) notes.Add(string.Create(CultureInfo.InvariantCulture, $"{Numbers.Count(run.Metrics.Length)} steps in {(int)(Right - Left)} pixels: a thin stroke spans its pixel's lowest and highest step."));
        if (TrainingFigure.WithoutBackprop(run) is { } idle) notes.Add(idle);
        if (notFinite > 0) notes.Add($"{Numbers.Count(notFinite)} numbers are NaN or ∞; crosses at the top mark their steps.");
        return Sheet.Notes(Sheet.Margin, y, Width - 2 * Sheet.Margin, [.. notes]);
    }
}
