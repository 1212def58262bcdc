using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>Turns gradients into new weights. One optimiser belongs to one model, whose size its state has.</summary>
public abstract class Optimizer
{
    private ParameterStore? owner;
    private int[] updatesOf = [];
    private Chunk[] chunks = [];
    private (double Update, double Weights)[] squares = [];

    /// <summary>Step size, positive; a <see cref="Schedule"/> scales it.</summary>
    public float LearningRate { get; init; }

    /// <summary>The optimiser and its settings in a line, for runs and figures.</summary>
    public abstract string Description { get; }

    /// <summary>How many updates it has made.</summary>
    public int Updates { get; private set; }

    /// <summary>How many each parameter has had, in the model's order: fewer where it was frozen.</summary>
    internal IReadOnlyList<int> UpdatesOf => updatesOf;

    /// <summary>Updates all weights but the frozen ones, whose state stays too.</summary>
    /// <param name="store">The model's parameters and gradients.</param>
    /// <param name="learningRate">This step's.</param>
    /// <param name="gradientScale">What gradients are multiplied by: below 1 where they are clipped.</param>
    /// <returns>‖update‖² and ‖weights before‖².</returns>
    internal (double Update, double Weights) Step(ParameterStore store, float learningRate, float gradientScale)
    {
        Serve(store);
        Updates++;
        for (var i = 0; i < updatesOf.Length; i++)
        {
            updatesOf[i] += store.Parameters[i].IsFrozen ? 0 : 1;
        }

        long cost = store.Values.Length;
        Lanes.For(new Job(this, new(learningRate, gradientScale, Workers.Shares(cost))), chunks.Length, cost);
        var (update, weights) = (0.0, 0.0);
        foreach (var norms in squares)
        {
            update += norms.Update;
            weights += norms.Weights;
        }

        return (update, weights);
    }

    /// <summary>Its state by name, such as Adam's first and second moments, each laid out as the store's values; empty before the first update.</summary>
    internal abstract IEnumerable<(string Name, Memory<float> Values)> State { get; }

    /// <summary>Takes up where another of its kind stopped; <see cref="State"/> is then there to be filled.</summary>
    internal void Resume(ParameterStore store, int updates, IEnumerable<int> updatesOf)
    {
        Serve(store);
        Updates = updates;
        this.updatesOf = [.. updatesOf];
    }

    private void Serve(ParameterStore store)
    {
        if (owner is null)
        {
            owner = store;
            updatesOf = new int[store.Parameters.Count];
            chunks = Chunk.Of(store);
            squares = new (double, double)[chunks.Length];
            Allocate(store.Values.Length);
        }
        else if (owner != store)
        {
            throw new InvalidOperationException("Optimizer: it already serves another model, whose moments it keeps; make a new optimiser for this one.");
        }
    }

    /// <summary>Makes state of the store's length, all 0.</summary>
    private protected abstract void Allocate(int length);

    /// <summary>Updates the weights of a chunk, which is its parameter's update number <paramref name="count"/>, from 1.</summary>
    /// <returns>‖update‖² and ‖weights before‖².</returns>
    private protected abstract (double Update, double Weights) Change<TLanes>(Chunk chunk, int count, in Rates rates)
        where TLanes : struct, ILanes<TLanes>;

    /// <summary>Stores new weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private protected static unsafe void Put<TLanes>(TLanes weights, float* target, int count, bool shared) where TLanes : struct, ILanes<TLanes>
    {
        if (shared && count == TLanes.Width)
        {
            weights.StoreAround(target);
        }
        else
        {
            weights.StoreFirst(target, count);
        }
    }

    private protected static float Positive(float learningRate) => learningRate > 0 && float.IsFinite(learningRate)
        ? learningRate
        : throw new ArgumentException(FormattableString.Invariant($"Optimizer: the learning rate is {learningRate}; it must be positive, such as 0.001."));

    /// <summary>What is the same for all parameters at a step.</summary>
    /// <param name="LearningRate">The step's.</param>
    /// <param name="GradientScale">What gradients are multiplied by.</param>
    /// <param name="Shared">Whether the other core has read the weights as well; see <see cref="Put"/>.</param>
    private protected readonly record struct Rates(float LearningRate, float GradientScale, bool Shared);

    private readonly struct Job(Optimizer optimizer, Rates rates) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            for (var i = from; i < to; i++)
            {
                var chunk = optimizer.chunks[i];
                optimizer.squares[i] = chunk.Parameter.IsFrozen ? default : optimizer.Change<TLanes>(chunk, optimizer.updatesOf[chunk.Index], rates);
            }

            Thread.MemoryBarrier();
        }
    }
}

/// <summary>Stochastic gradient descent, with momentum: b ← μ·b + g, w ← w − lr·b (as PyTorch; Sutskever et al. 2013).</summary>
public sealed class Sgd : Optimizer
{
    private Buffer velocity;

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

    internal override IEnumerable<(string Name, Memory<float> Values)> State => [("velocity", velocity.Memory)];

    private protected override void Allocate(int length) => velocity = Arena.NewBuffer(length);

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override unsafe (double Update, double Weights) Change<TLanes>(Chunk chunk, int count, in Rates rates)
    {
        TLanes updates = default;
        TLanes weights = default;
        fixed (float* values = chunk.Values, gradient = chunk.Gradient, velocities = velocity.Span.Slice(chunk.Offset, chunk.Length))
        {
            for (var i = 0; i < chunk.Length; i += TLanes.Width)
            {
                var n = Math.Min(TLanes.Width, chunk.Length - i);
                var b = Momentum * TLanes.LoadFirst(velocities + i, n) + rates.GradientScale * TLanes.LoadFirst(gradient + i, n);
                b.StoreFirst(velocities + i, n);
                var w = TLanes.LoadFirst(values + i, n);
                var update = rates.LearningRate * b;
                Put(w - update, values + i, n, rates.Shared);
                updates += update * update;
                weights += w * w;
            }
        }

        return (updates.Sum(), weights.Sum());
    }
}

/// <summary>
/// Adam (Kingma and Ba 2015): m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², w ← w − lr · m̂ / (√v̂ + ε), where m̂ and v̂ are m and v
/// divided by 1 − βᵗ, t being the parameter's number of updates.
/// </summary>
public class Adam : Optimizer
{
    private Buffer first;
    private Buffer second;

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

    internal override IEnumerable<(string Name, Memory<float> Values)> State => [("first", first.Memory), ("second", second.Memory)];

    private protected override void Allocate(int length) => (first, second) = (Arena.NewBuffer(length), Arena.NewBuffer(length));

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private protected override unsafe (double Update, double Weights) Change<TLanes>(Chunk chunk, int count, in Rates rates)
    {
        var moments = new Moments<TLanes>
        {
            Rate = rates.LearningRate / (1 - MathF.Pow(Beta1, count)),
            Root = 1 / MathF.Sqrt(1 - MathF.Pow(Beta2, count)),
            Decay = rates.LearningRate * DecayOf(chunk.Parameter),
            Beta1 = Beta1,
            OneMinusBeta1 = 1 - Beta1,
            Beta2 = Beta2,
            OneMinusBeta2 = 1 - Beta2,
            Epsilon = Epsilon,
            GradientScale = rates.GradientScale,
        };
        TLanes updates = default;
        TLanes weights = default;
        fixed (float* values = chunk.Values, gradient = chunk.Gradient)
        fixed (float* m = first.Span.Slice(chunk.Offset, chunk.Length), v = second.Span.Slice(chunk.Offset, chunk.Length))
        {
            var i = 0;
            for (; i <= chunk.Length - TLanes.Width; i += TLanes.Width)
            {
                var w = TLanes.Load(values + i);
                var update = moments.Update(w, gradient + i, m + i, v + i, TLanes.Width);
                Put(w - update, values + i, TLanes.Width, rates.Shared);
                updates += update * update;
                weights += w * w;
            }

            if (i < chunk.Length)
            {
                var n = chunk.Length - i;
                var w = TLanes.LoadFirst(values + i, n);
                var update = moments.Update(w, gradient + i, m + i, v + i, n) & TLanes.First(n);
                Put(w - update, values + i, n, rates.Shared);
                updates += update * update;
                weights += w * w;
            }
        }

        return (updates.Sum(), weights.Sum());
    }

    /// <summary>What is the same for all of a parameter's elements.</summary>
    private readonly ref struct Moments<TLanes> where TLanes : struct, ILanes<TLanes>
    {
        public TLanes Rate { get; init; }

        public TLanes Root { get; init; }

        public TLanes Decay { get; init; }

        public TLanes Beta1 { get; init; }

        public TLanes OneMinusBeta1 { get; init; }

        public TLanes Beta2 { get; init; }

        public TLanes OneMinusBeta2 { get; init; }

        public TLanes Epsilon { get; init; }

        public TLanes GradientScale { get; init; }

        /// <summary>What is taken off some weights; their moments are brought up to date.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public unsafe TLanes Update(TLanes weights, float* gradient, float* m, float* v, int count)
        {
            var g = GradientScale * TLanes.LoadFirst(gradient, count);
            var mean = Beta1 * TLanes.LoadFirst(m, count) + OneMinusBeta1 * g;
            var square = Beta2 * TLanes.LoadFirst(v, count) + OneMinusBeta2 * g * g;
            mean.StoreFirst(m, count);
            square.StoreFirst(v, count);
            return Rate * mean / (TLanes.Sqrt(square) * Root + Epsilon) + Decay * weights;
        }
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
