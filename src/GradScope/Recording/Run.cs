using System.Collections.Immutable;

namespace GradScope;

/// <summary>A recorded training: what was trained on what, and what each step measured.</summary>
/// <param name="Model">The model as it was at the last recorded step.</param>
/// <param name="Task">The task's name, such as names.</param>
/// <param name="Optimizer">The optimiser and its settings, in a line.</param>
/// <param name="BatchSize">Sequences in a batch.</param>
/// <param name="Metrics">One entry a step.</param>
/// <param name="Baselines">Losses to compare with.</param>
/// <param name="ParameterNames">The parameters, in the order of <paramref name="GradientNorms"/>' columns.</param>
/// <param name="GradientNorms">For each step, ‖gradient‖ of each parameter before clipping.</param>
/// <param name="Frames">The recorded pictures of the model, in step order.</param>
public sealed record Run(
    ModelFrame Model,
    string Task,
    string Optimizer,
    int BatchSize,
    ImmutableArray<Metrics> Metrics,
    ImmutableArray<Baseline> Baselines,
    ImmutableArray<string> ParameterNames,
    ImmutableArray<ImmutableArray<float>> GradientNorms,
    ImmutableArray<Frame> Frames);
