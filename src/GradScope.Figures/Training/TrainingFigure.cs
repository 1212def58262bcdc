using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>A training as curves over the same steps: loss, accuracy, gradient norm, learning rate, update ratio.</summary>
public static class TrainingFigure
{
    private const int MostTableRows = 60;

    /// <summary>Draws what was measured so far; a run without a step says so.</summary>
    public static Figure Draw(Run run, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Training: " + run.Task;
        var (wide, narrow, payload) = TrainingDrawing.Of(run, title, options);
        return Figure.From(wide, narrow, title, Summary(run, title), payload, run.Metrics.IsEmpty ? [] : [Table(run)]);
    }

    private static string Summary(Run run, string title)
    {
        var text = new StringBuilder(title);
        if (run.Metrics.IsEmpty) return text.Append(": no step was made yet.").ToString();

        var (first, last) = (run.Metrics[0], run.Metrics[^1]);
        text.Append(CultureInfo.InvariantCulture, $": {last.Step} step{(last.Step == 1 ? "" : "s")}, {run.Optimizer}, batch size {run.BatchSize}.");
        text.Append($"\nLoss {Numbers.Short(first.Loss)} → {Numbers.Short(last.Loss)} nats, accuracy {Numbers.Percent(first.Accuracy)} → {Numbers.Percent(last.Accuracy)}.");
        if (run.Metrics.LastOrDefault(m => m.ValidationLoss is not null) is { ValidationLoss: { } validation } at)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nValidation loss {Numbers.Short(validation)} nats at step {at.Step}.");
        }

        if (run.Model.Parameters.Any(p => p.IsFrozen)) text.Append($"\n{Numbers.Count(run.Model.ParameterCount)} parameters{ModelFigure.FrozenWords(run.Model)}.");
        if (WithoutBackprop(run) is { } idle) text.Append($"\n{idle}");
        text.Append($"\n  loss  {Sparkline(run.Metrics.Select(m => m.Loss).ToList())}");
        foreach (var baseline in run.Baselines)
        {
            text.Append($"\n  {baseline.Name}: {Numbers.Short(baseline.Loss)} nats{(baseline.IsFloor ? " (floor)" : "")}");
        }

        return text.ToString();
    }

    /// <summary>How many steps only measured the loss, in words; null where every step ran backward.</summary>
    internal static string? WithoutBackprop(Run run) => run.Metrics.Count(m => m is { GradientNorm: 0, LearningRate: 0 }) is > 0 and var count
        ? string.Create(CultureInfo.InvariantCulture, $"Backprop was off in {Numbers.Count(count)} step{(count == 1 ? "" : "s")}: the loss was measured and nothing learnt.")
        : null;

    /// <summary>48 characters or fewer, each the mean of its part of the run, from ▁ (lowest) to █ (highest).</summary>
    internal static string Sparkline(IReadOnlyList<double> values)
    {
        const string Levels = "▁▂▃▄▅▆▇█";
        var width = Math.Min(48, values.Count);
        var means = Enumerable.Range(0, width)
            .Select(c => values.Skip(c * values.Count / width).Take((c + 1) * values.Count / width - c * values.Count / width).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average()).ToList();
        var finite = means.Where(double.IsFinite).ToList();
        if (finite.Count == 0) return "(no finite number)";

        var (low, high) = (finite.Min(), finite.Max());
        return string.Concat(means.Select(m => !double.IsFinite(m) ? '×' : high == low ? Levels[3] : Levels[(int)Math.Round((m - low) / (high - low) * 7)]));
    }

    internal static DataTable Table(Run run)
    {
        var count = run.Metrics.Length;
        var every = (count + MostTableRows - 1) / MostTableRows;
        var rows = run.Metrics.Where((m, i) => i == 0 || i == count - 1 || (i + 1) % every == 0);
        return new(
            every == 1 ? "Every step" : $"The first, the last, and every {Numbers.Ordinal(every)} step", 0,
            ["step", "loss", "accuracy", "gradient norm", "learning rate", "update ratio", "validation loss", "validation accuracy"],
            [.. rows.Select(m => (string[])
            [
                m.Step.ToString(CultureInfo.InvariantCulture), Numbers.Exact(m.Loss), Numbers.Exact(m.Accuracy), Numbers.Exact(m.GradientNorm),
                Numbers.Exact(m.LearningRate), Numbers.Exact(m.UpdateRatio), Numbers.Exact(m.ValidationLoss), Numbers.Exact(m.ValidationAccuracy),
            ])]);
    }
}
