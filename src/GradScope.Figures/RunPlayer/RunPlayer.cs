using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>
/// A recorded run in one output: loss and metrics, one parameter, attention, gradient flow and predictions, all at one step. Without
/// a script it is the last step; with one, a cursor goes through all steps.
/// </summary>
public static class RunPlayer
{
    /// <summary>Draws a run; <see cref="FigureOptions.Layer"/> and <see cref="FigureOptions.Head"/> choose the attention that is shown first.</summary>
    /// <exception cref="ArgumentException">The run's gradient norms are not those of its steps.</exception>
    public static Figure Draw(Run run, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Run: " + run.Task;
        if (run.Metrics.IsEmpty)
        {
            var sheet = new Sheet(options.Theme);
            sheet.Header(Sheet.Narrow, title, "No step was made yet.");
            return Figure.From(sheet, Sheet.Narrow, sheet.Top + Sheet.Margin, title, title + ": no step was made yet.");
        }

        if (run.GradientNorms.Length != run.Metrics.Length)
        {
            throw new ArgumentException($"RunPlayer: the run has {run.Metrics.Length} metrics and {run.GradientNorms.Length} rows of gradient norms; a run has one of each a step.", nameof(run));
        }

        var played = new PlayedRun(run, options);
        var ((wide, drawing), (narrow, small)) = RunDrawing.Of(played, title, options);
        return Figure.From(drawing, small, title, Summary(played, title), RunPayload.Of(played, wide, narrow), [TrainingFigure.Table(run), Table(played)]);
    }

    private static string Summary(PlayedRun played, string title)
    {
        var (run, last) = (played.Run, played.Run.Metrics[^1]);
        var text = new StringBuilder(title);
        text.Append(CultureInfo.InvariantCulture, $", a run to play: {run.Metrics.Length} steps, with pictures of the model at {played.Frames.Count} of them.");
        text.Append($"\nLoss {Numbers.Short(run.Metrics[0].Loss)} → {Numbers.Short(last.Loss)} nats, accuracy {Numbers.Percent(run.Metrics[0].Accuracy)} → {Numbers.Percent(last.Accuracy)}.");
        foreach (var frame in played.Frames)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n  step {frame.Step}: loss of “{string.Concat(frame.Tokens.Select(TokenText.Show))}” {Numbers.Short(frame.Loss)}, ‖∂L/∂x‖ {Numbers.Short(frame.Flow.Stations[^1].GradNorm ?? 0)} → {Numbers.Short(frame.Flow.Stations[0].GradNorm ?? 0)}, right at {frame.Predictions.Positions.Count(p => p.IsRight == true)} of {frame.Predictions.Positions.Count(p => p.IsRight is not null)} positions");
        }

        return text.ToString();
    }

    private static DataTable Table(PlayedRun played) => new(
        "Pictures of the model: ‖∂L/∂x‖ along the residual stream, and P(next) at each position", 0,
        ["step", "loss", .. played.Stations, .. played.Tokens.Select((t, i) => string.Create(CultureInfo.InvariantCulture, $"P(next) {i} {TokenText.Show(t)}"))],
        [.. played.Frames.Select(f => (string[])
        [
            f.Step.ToString(CultureInfo.InvariantCulture), Numbers.Exact(f.Loss), .. f.Flow.Stations.Select(s => Numbers.Exact(s.GradNorm)),
            .. f.Predictions.Positions.Select(p => p.TargetId is { } id ? Numbers.Exact(p.Probabilities.Values[id]) : "–"),
        ])]);
}
