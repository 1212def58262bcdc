using System.Runtime.CompilerServices;

namespace GradScope.Operations;

/// <summary>
/// y = exp(x − max x) / Σ exp(x − max x) along the last dimension; where causal, row i of each (query, key) matrix sees keys
/// j ≤ i alone and the rest is 0. ∂x += y · (∂y − Σ y·∂y).
/// </summary>
internal sealed class Softmax : Node
{
    private readonly Node x;
    private readonly bool causal;

    public Softmax(Node x, bool causal)
        : base(x.Tape, x.Shape, x)
    {
        (this.x, this.causal) = (x, causal);
        if (x.Shape.Rank < (causal ? 2 : 1))
        {
            throw new ArgumentException($"{OperationName}: {x.Label} is {x.Shape}; it needs {(causal ? "at least 2 dimensions, (query, key)" : "at least 1 dimension")}.");
        }

        if (causal && x.Shape[^1] != x.Shape[^2])
        {
            throw new ArgumentException($"{OperationName}: {x.Label} is {x.Shape}, but a causal mask needs as many keys as queries: its last two dimensions must be equal.");
        }
    }

    public override string Formula => causal ? $"softmax({x.Label}), keys ≤ query" : $"softmax({x.Label})";

    public override IReadOnlyList<string> BackwardRule => [$"{Label} · (G − Σ {Label}·G)"];

    private protected override string OperationName => causal ? "CausalSoftmax" : "Softmax";

    internal override bool WritesWholeGradients => true;

    internal override void Forward() => Lanes.For(new ForwardRows(this), Shape.Rows, Shape.ElementCount, even: !causal);

    internal override void Backward() => Lanes.For(new BackwardRows(this, x.Accumulates()), Shape.Rows, Shape.ElementCount / 2, even: !causal);

    /// <summary>How many keys, from the first, each row may see, one row after the other.</summary>
    private struct AllowedKeys(Softmax node, int row)
    {
        private readonly int all = node.Shape.Columns;
        private readonly bool causal = node.causal;
        private int last = row % node.Shape.Columns;

        public int Next()
        {
            if (!causal) return all;
            last = last == all ? 1 : last + 1;
            return last;
        }
    }

    private readonly unsafe struct ForwardRows(Softmax node) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var columns = node.Shape.Columns;
            var allowed = new AllowedKeys(node, from);
            fixed (float* xs = node.x.V, ys = node.V)
            {
                for (var row = from; row < to; row++)
                {
                    VectorMath.Softmax<TLanes>(xs + row * columns, ys + row * columns, columns, allowed.Next());
                }
            }
        }
    }

    private readonly unsafe struct BackwardRows(Softmax node, bool accumulate) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var columns = node.Shape.Columns;
            var allowed = new AllowedKeys(node, from);
            fixed (float* ys = node.V, gradients = node.G, targets = node.x.G)
            {
                for (var row = from; row < to; row++)
                {
                    var start = row * columns;
                    Row<TLanes>(ys + start, gradients + start, targets + start, columns, allowed.Next());
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Row<TLanes>(float* y, float* gradient, float* target, int columns, int allowed) where TLanes : struct, ILanes<TLanes>
        {
            TLanes products = default;
            var j = 0;
            for (; j <= allowed - TLanes.Width; j += TLanes.Width) products += TLanes.Load(y + j) * TLanes.Load(gradient + j);
            if (j < allowed) products += TLanes.LoadFirst(y + j, allowed - j) * TLanes.LoadFirst(gradient + j, allowed - j);

            TLanes sum = products.Sum();
            for (j = 0; j < columns; j += TLanes.Width)
            {
                // Past the allowed keys y is 0, and so is the change.
                var count = Math.Min(TLanes.Width, columns - j);
                var change = TLanes.LoadFirst(y + j, count) * (TLanes.LoadFirst(gradient + j, Math.Clamp(allowed - j, 0, count)) - sum);
                (accumulate ? TLanes.LoadFirst(target + j, count) + change : change).StoreFirst(target + j, count);
            }
        }
    }
}
