using System.Numerics.Tensors;

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

    internal override void Forward()
    {
        var columns = Shape.Columns;
        for (var row = 0; row < Shape.Rows; row++)
        {
            var allowed = Allowed(row);
            var source = x.V.Slice(row * columns, allowed);
            var target = V.Slice(row * columns, allowed);
            TensorPrimitives.Subtract(source, TensorPrimitives.Max<float>(source), target);
            TensorPrimitives.Exp(target, target);
            TensorPrimitives.Multiply(target, 1 / TensorPrimitives.Sum<float>(target), target);
            V.Slice(row * columns + allowed, columns - allowed).Clear();
        }
    }

    internal override void Backward()
    {
        var columns = Shape.Columns;
        for (var row = 0; row < Shape.Rows; row++)
        {
            var allowed = Allowed(row);
            var y = V.Slice(row * columns, allowed);
            var gradient = G.Slice(row * columns, allowed);
            var target = x.G.Slice(row * columns, allowed);
            var mean = TensorPrimitives.Dot<float>(y, gradient);
            for (var j = 0; j < allowed; j++)
            {
                target[j] += y[j] * (gradient[j] - mean);
            }
        }
    }

    /// <summary>How many keys, from the first, this row may see.</summary>
    private int Allowed(int row) => causal ? row % Shape[^2] + 1 : Shape.Columns;
}
