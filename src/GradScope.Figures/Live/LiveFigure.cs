using System.Text;

namespace GradScope.Figures;

/// <summary>A training while it runs, drawn small and fast: how far it is, what it measures, how gradients flow, who looks at whom.</summary>
internal static class LiveFigure
{
    /// <summary>Draws one moment; before the first step it says so.</summary>
    public static Figure Draw(LiveFrame frame, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Training: " + frame.Run.Task;
        return Figure.From(new LiveDrawing(frame, title, options).Draw(), null, title, Summary(frame, title), null, []);
    }

    /// <summary>The last step's numbers, in a line; null before the first step.</summary>
    public static string? Measured(Run run)
    {
        if (run.Metrics.IsEmpty) return null;

        var last = run.Metrics[^1];
        return $"loss {Numbers.Short(last.Loss)} nats · accuracy {Numbers.Percent(last.Accuracy)} · gradient norm {Numbers.Short(last.GradientNorm)}";
    }

    private static string Summary(LiveFrame frame, string title)
    {
        var text = new StringBuilder($"{title}: {frame.Progress}.");
        if (Measured(frame.Run) is { } numbers) text.Append($"\n{char.ToUpperInvariant(numbers[0])}{numbers[1..]}.\n  loss  {TrainingFigure.Sparkline([.. frame.Run.Metrics.Select(m => m.Loss)])}");
        return text.ToString();
    }
}
