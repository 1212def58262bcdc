using System.Diagnostics;
using System.Globalization;
using GradScope.Interactive;

namespace GradScope;

/// <summary>Training that draws itself: one output that is updated while the model learns and ends as the finished figure.</summary>
public static class LiveTraining
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(125);

    /// <summary>Drawing waits until this many times its own cost has passed, so that it takes a tenth of the time at the most.</summary>
    private const int CostFactor = 10;

    /// <summary>
    /// Trains and shows progress, loss against the baselines, gradient norms and attention on the probe while it does, about eight
    /// times a second. Where no notebook cell is running it trains without showing anything.
    /// </summary>
    /// <param name="trainer">What trains; running the cell again goes on from where it stopped.</param>
    /// <param name="steps">How many steps, at least 1.</param>
    /// <param name="cancellation">Stops after the current step; everything so far is kept.</param>
    /// <returns>When the training has ended.</returns>
    /// <exception cref="ArithmeticException">The loss is not finite; the figure then shows the steps before.</exception>
    public static async Task TrainAsync(this Trainer trainer, int steps, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        Formatters.Register();
        var clock = Stopwatch.StartNew();
        var first = trainer.Steps;
        var output = DisplayBridge.Current.Show(Progress(first, 0, steps, clock.Elapsed));
        if (output is null)
        {
            await Task.Run(() => trainer.Train(steps, cancellation: cancellation), CancellationToken.None);
            return;
        }

        var next = ShortestInterval;
        try
        {
            // The cell's context flows into the task, so its updates reach the cell's output.
            await Task.Run(
                () => trainer.Train(
                    steps,
                    measured =>
                    {
                        if (clock.Elapsed < next || measured.Step == first + steps)
                        {
                            return;
                        }

                        var start = clock.Elapsed;
                        output.Update(View(trainer, first, steps, start));
                        var cost = clock.Elapsed - start;
                        next = clock.Elapsed + (cost * CostFactor > ShortestInterval ? cost * CostFactor : ShortestInterval);
                    },
                    cancellation),
                CancellationToken.None);
        }
        finally
        {
            if (trainer.Steps > 0)
            {
                output.Update(trainer.Run.ToFigure());
            }
        }
    }

    private static LiveView View(Trainer trainer, int first, int steps, TimeSpan elapsed)
    {
        var progress = Progress(trainer.Steps, trainer.Steps - first, steps, elapsed);
        var training = trainer.Run.ToFigure();
        var attention = trainer.Look().Attention().ToFigure();
        return new(progress.Html + training.Html + attention.Html, $"{progress.Text}\n{training.Text}\n{attention.Text}");
    }

    private static LiveView Progress(int step, int done, int steps, TimeSpan elapsed)
    {
        var rate = done / Math.Max(1e-3, elapsed.TotalSeconds);
        var left = done == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" · {rate:0} steps/s · {(steps - done) / rate:0} s left");
        var text = $"step {step} of {step - done + steps}{left}";
        var share = (100.0 * done / steps).ToString("0.#", CultureInfo.InvariantCulture);
        return new(
            $"<div style=\"font:12px/1.5 ui-monospace,monospace\"><progress value=\"{share}\" max=\"100\" aria-label=\"training progress\"></progress> {text}</div>",
            text);
    }
}
