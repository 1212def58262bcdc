using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>Training that draws itself: one output that is updated while the model learns and ends as the finished figure.</summary>
public static class LiveTraining
{
    private static readonly ConditionalWeakTable<MiniTransformer, Trainer> trainers = [];

    /// <summary>
    /// Trains and shows progress, loss against the baselines, accuracy, gradient norms, and gradient flow and attention on the probe
    /// while it does. Where nothing can be shown it trains all the same. Running the cell again goes on.
    /// </summary>
    /// <param name="trainer">What trains.</param>
    /// <param name="steps">How many steps, at least 1.</param>
    /// <param name="live">What to show, how often, on which input.</param>
    /// <param name="cancellation">Stops after the current step, as interrupting the cell does; everything so far is kept.</param>
    /// <returns>When the training has ended and the finished figure is shown.</returns>
    /// <exception cref="ArgumentException">The probe is not one of the task's, or longer than the model's context.</exception>
    /// <exception cref="ArithmeticException">The loss is not finite; the figure then shows the steps before.</exception>
    public static async Task TrainAsync(this Trainer trainer, int steps, LiveOptions? live = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        var display = new LiveDisplay(trainer, live ?? LiveOptions.Default, steps);
        await using (display.ConfigureAwait(false))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, display.Stopped);
            await Task.Run(() => trainer.Train(steps, cancellation: stop.Token), CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Trains a model on a task with <see cref="TrainerFor"/>, live as <see cref="TrainAsync(Trainer, int, LiveOptions?, CancellationToken)"/> does.</summary>
    public static Task TrainAsync(this MiniTransformer model, TrainingTask task, int steps, LiveOptions? live = null, CancellationToken cancellation = default) =>
        model.TrainerFor(task).TrainAsync(steps, live, cancellation);

    /// <summary>
    /// The trainer that <c>model.TrainAsync(task, …)</c> uses and goes on with, one with default settings; a model has one at a time, and
    /// another task makes a new one.
    /// </summary>
    /// <exception cref="ArgumentException">The vocabularies differ, or the model's context is too short for the task.</exception>
    public static Trainer TrainerFor(this MiniTransformer model, TrainingTask task)
    {
        lock (trainers)
        {
            if (!trainers.TryGetValue(model, out var trainer) || trainer.Task != task)
            {
                trainers.AddOrUpdate(model, trainer = new(model, task));
            }

            return trainer;
        }
    }

    /// <summary>
    /// Shows the trainer live while it is open, whoever trains and on whichever thread: <c>using (trainer.Live()) trainer.Train(500);</c>
    /// </summary>
    /// <exception cref="ArgumentException">The probe is not one of the task's, or longer than the model's context.</exception>
    public static LiveDisplay Live(this Trainer trainer, LiveOptions? options = null) => new(trainer, options ?? LiveOptions.Default, steps: null);
}
