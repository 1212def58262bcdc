using System.Numerics.Tensors;
using System.Runtime.Intrinsics;

namespace GradScope;

/// <summary>Turns gradients into new weights. One optimiser belongs to one model, whose size its state has.</summary>
public abstract class Optimizer
{
    private ParameterStore? owner;

    /// <summary>Step size, positive; a <see cref="Schedule"/> scales it.</summary>
    public float LearningRate { get; init; }

    /// <summary>The optimiser and its settings in a line, for runs and figures.</summary>
    public abstract string Description { get; }

    /// <summary>How many updates it has made.</summary>
    public int Updates { get; private set; }

    /// <summary>Updates all weights but the frozen ones, whose state stays too.</summary>
    /// <param name="store">The model's parameters and gradients.</param>
    /// <param name="learningRate">This step's.</param>
    /// <param name="gradientScale">What gradients are multiplied by: below 1 where they are clipped.</param>
    /// <returns>‖update‖² and ‖weights before‖².</returns>
    internal (double Update, double Weights) Step(ParameterStore store, float learningRate, float gradientScale)
    {
        Serve(store);
        Updates++;
        var (update, weights) = (0.0, 0.0);
        foreach (var parameter in store.Parameters)
        {
            if (parameter.IsFrozen)
            {
                continue;
            }

            var values = parameter.ValueBuffer.Span;
            var change = Change(parameter, parameter.GradBuffer.Span, learningRate, gradientScale);
            update += Reductions.SumOfSquares(change);
            weights += Reductions.SumOfSquares(values);
            TensorPrimitives.Subtract(values, change, values);
        }

        return (update, weights);
    }

    /// <summary>Its state by name, such as Adam's first and second moments, each laid out as the store's values; empty before the first update.</summary>
    internal abstract IEnumerable<(string Name, float[] Values)> State { get; }

    /// <summary>Takes up where another of its kind stopped; <see cref="State"/> is then there to be filled.</summary>
    internal void Resume(ParameterStore store, int updates)
    {
        Serve(store);
        Updates = updates;
    }

    private void Serve(ParameterStore store)
    {
        if (owner is null)
        {
            owner = store;
            Allocate(store.Values.Length);
        }
        else if (owner != store)
        {
            throw new InvalidOperationException("Optimizer: it already serves another model, whose moments it keeps; make a new optimiser for this one.");
        }
    }

    /// <summary>Makes state of the store's length, all 0.</summary>
    private protected abstract void Allocate(int length);

    /// <summary>What is to be subtracted from the parameter; the span is valid until the next call.</summary>
    private protected abstract ReadOnlySpan<float> Change(Parameter parameter, ReadOnlySpan<float> gradient, float learningRate, float gradientScale);

    private protected static float Positive(float learningRate) => learningRate > 0 && float.IsFinite(learningRate)
        ? learningRate
        : throw new ArgumentException(FormattableString.Invariant($"Optimizer: the learning rate is {learningRate}; it must be positive, such as 0.001."));
}

/// <summary>Stochastic gradient descent, with momentum: b ← μ·b + g, w ← w − lr·b (as PyTorch; Sutskever et al. 2013).</summary>
public sealed class Sgd : Optimizer
{
    private float[] velocity = [];
    private float[] change = [];

    /// <param name="learningRate">Step size, positive.</param>
    /// <param name="momentum">μ, 0 to below 1.</param>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public Sgd(float learningRate, float momentum = 0)
    {
        if (momentum is not (>= 0 and < 1))
        {
            throw new ArgumentException(FormattableString.Invariant($"Sgd: the momentum is {momentum}; it must be 0 to below 1."));
        }

        (LearningRate, Momentum) = (Positive(learningRate), momentum);
    }

    /// <summary>μ, how much of the last update stays.</summary>
    public float Momentum { get; }

    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"SGD lr {LearningRate}") + (Momentum > 0 ? FormattableString.Invariant($", momentum {Momentum}") : "");

    internal override IEnumerable<(string Name, float[] Values)> State => [("velocity", velocity)];

    private protected override void Allocate(int length) => (velocity, change) = (new float[length], new float[length]);

    private protected override ReadOnlySpan<float> Change(Parameter parameter, ReadOnlySpan<float> gradient, float learningRate, float gradientScale)
    {
        var b = velocity.AsSpan(parameter.Offset, gradient.Length);
        var result = change.AsSpan(0, gradient.Length);
        for (var i = 0; i < result.Length; i++)
        {
            b[i] = Momentum * b[i] + gradientScale * gradient[i];
            result[i] = learningRate * b[i];
        }

        return result;
    }
}

/// <summary>
/// Adam (Kingma and Ba 2015): m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w − lr · m̂ / (√v̂ + ε), where m̂ and v̂ are m and v
/// divided by 1 − βᵗ.
/// </summary>
public class Adam : Optimizer
{
    private float[] first = [];
    private float[] second = [];
    private float[] change = [];

    /// <param name="learningRate">Step size, positive.</param>
    /// <exception cref="ArgumentException">The step size is not positive.</exception>
    public Adam(float learningRate) => LearningRate = Positive(learningRate);

    /// <summary>β₁, the memory of the mean gradient.</summary>
    public float Beta1 { get; init; } = 0.9f;

    /// <summary>β₂, the memory of its square.</summary>
    public float Beta2 { get; init; } = 0.999f;

    /// <summary>ε, added to √v̂.</summary>
    public float Epsilon { get; init; } = 1e-8f;

    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"Adam lr {LearningRate}, β {Beta1} {Beta2}");

    /// <summary>How much of a parameter is taken off at each step beside the gradient's part, before it is multiplied by the step size.</summary>
    private protected virtual float DecayOf(Parameter parameter) => 0;

    internal override IEnumerable<(string Name, float[] Values)> State => [("first", first), ("second", second)];

    private protected override void Allocate(int length) => (first, second, change) = (new float[length], new float[length], new float[length]);

    private protected override ReadOnlySpan<float> Change(Parameter parameter, ReadOnlySpan<float> gradient, float learningRate, float gradientScale)
    {
        var m = first.AsSpan(parameter.Offset, gradient.Length);
        var v = second.AsSpan(parameter.Offset, gradient.Length);
        var w = parameter.ValueBuffer.Span;
        var result = change.AsSpan(0, gradient.Length);
        var rate = learningRate / (1 - MathF.Pow(Beta1, Updates));
        var root = 1 / MathF.Sqrt(1 - MathF.Pow(Beta2, Updates));
        var decay = learningRate * DecayOf(parameter);
        var i = 0;
        for (; i <= result.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var g = gradientScale * Vector512.Create(gradient[i..]);
            var mean = Beta1 * Vector512.Create<float>(m[i..]) + (1 - Beta1) * g;
            var square = Beta2 * Vector512.Create<float>(v[i..]) + (1 - Beta2) * g * g;
            mean.CopyTo(m[i..]);
            square.CopyTo(v[i..]);
            var step = rate * mean / (Vector512.Sqrt(square) * root + Vector512.Create(Epsilon)) + decay * Vector512.Create<float>(w[i..]);
            step.CopyTo(result[i..]);
        }

        for (; i < result.Length; i++)
        {
            var g = gradientScale * gradient[i];
            m[i] = Beta1 * m[i] + (1 - Beta1) * g;
            v[i] = Beta2 * v[i] + (1 - Beta2) * g * g;
            result[i] = rate * m[i] / (MathF.Sqrt(v[i]) * root + Epsilon) + decay * w[i];
        }

        return result;
    }
}

/// <summary>Adam with decoupled weight decay: w ← w − lr·λ·w beside Adam's update (Loshchilov and Hutter 2019).</summary>
/// <param name="learningRate">Step size, positive.</param>
/// <param name="weightDecay">λ.</param>
public sealed class AdamW(float learningRate, float weightDecay = 0.01f) : Adam(learningRate)
{
    /// <summary>Whether only matrices decay, not biases and norms, as GPT-2's training has it; PyTorch's default is all.</summary>
    public bool DecayMatricesOnly { get; init; }

    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"AdamW lr {LearningRate}, β {Beta1} {Beta2}, weight decay {weightDecay}");

    private protected override float DecayOf(Parameter parameter) => DecayMatricesOnly && parameter.Shape.Rank < 2 ? 0 : weightDecay;
}
