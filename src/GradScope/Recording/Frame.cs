using System.Collections.Immutable;

namespace GradScope;

/// <summary>One immutable picture of a model at work: a forward and a backward pass over one input, with the weights of one moment.</summary>
/// <param name="Step">How many updates the model had had.</param>
/// <param name="Model">The model and its parameters' norms.</param>
/// <param name="Tape">Every operation, with values and gradients; batch size 1.</param>
/// <param name="Tokens">The input's tokens as text, one a position.</param>
/// <param name="Targets">The tokens asked for, one a position; null where a position has no target.</param>
/// <param name="Vocabulary">All tokens as text, by id.</param>
/// <param name="Loss">Mean cross-entropy of this input, in nats.</param>
/// <param name="Metrics">What the training step measured, where the frame belongs to one.</param>
public sealed record Frame(
    int Step,
    ModelFrame Model,
    TapeFrame Tape,
    ImmutableArray<string> Tokens,
    ImmutableArray<string?> Targets,
    ImmutableArray<string> Vocabulary,
    double Loss,
    Metrics? Metrics = null)
{
    /// <summary>The attention of all layers, or of one, on this input.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The model has no such layer.</exception>
    public AttentionFrame Attention(int? layer = null)
    {
        var count = Model.Config.LayerCount;
        if (layer is < 0 || layer >= count)
        {
            throw new ArgumentOutOfRangeException(nameof(layer), $"Attention: the model has layers 0 to {count - 1}, not {layer}.");
        }

        var layers = layer is { } one ? [one] : Enumerable.Range(0, count);
        return new(
            Step, Tokens, Model.Config.Causal, Tape.BackwardHasRun,
            [.. layers.Select(l => AttentionLayer.From(Tape, l))]);
    }

    /// <summary>How the gradient travels back along the residual stream on this input.</summary>
    public GradientFlowFrame GradientFlow() => GradientFlowFrame.From(this);

    /// <summary>What is predicted at each position of this input.</summary>
    public PredictionFrame Predictions() => PredictionFrame.From(this);
}
