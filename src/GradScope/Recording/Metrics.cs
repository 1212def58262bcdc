namespace GradScope;

/// <summary>What one optimiser step measured.</summary>
/// <param name="Step">The step, from 1: the number of updates made, this one included.</param>
/// <param name="Loss">Mean cross-entropy of the batch before the update, in nats.</param>
/// <param name="Accuracy">The share of targets that had the largest logit, 0 to 1.</param>
/// <param name="GradientNorm">‖gradient‖ over all parameters, before clipping; 0 with backprop off.</param>
/// <param name="LearningRate">The step size used; 0 with backprop off.</param>
/// <param name="UpdateRatio">‖update‖ / ‖weights‖ over the parameters that learn; 0 with backprop off.</param>
/// <param name="ValidationLoss">Mean cross-entropy on held-out data after the update, where it was measured at this step.</param>
/// <param name="ValidationAccuracy">Accuracy there.</param>
public sealed record Metrics(
    int Step,
    double Loss,
    double Accuracy,
    double GradientNorm,
    double LearningRate,
    double UpdateRatio,
    double? ValidationLoss = null,
    double? ValidationAccuracy = null)
{
    /// <summary>"step 100: loss 2.3412 nats, accuracy 28.9 % …", in a line.</summary>
    public override string ToString()
    {
        var validation = ValidationLoss is null ? "" : FormattableString.Invariant($"; validation loss {ValidationLoss:F4} nats, accuracy {100 * ValidationAccuracy:F1} %");
        return FormattableString.Invariant($"step {Step}: loss {Loss:F4} nats, accuracy {100 * Accuracy:F1} %, gradient norm {GradientNorm:G3}, learning rate {LearningRate:G3}{validation}");
    }
}

/// <summary>A loss to compare with, such as the bigram model's 2.4540 nats, drawn as a labelled line.</summary>
/// <param name="Name">What reaches it, in a word or two.</param>
/// <param name="Loss">Mean cross-entropy in nats.</param>
/// <param name="IsFloor">Whether no model can do better (an analytic floor) rather than a simple model's score.</param>
public sealed record Baseline(string Name, double Loss, bool IsFloor = false);
