using System.Runtime.Intrinsics;

namespace GradScope.Operations;

/// <summary>
/// y = exp(x − max x) / Σ exp(x − max x) along the last dimension; where causal, row i of each (query, key) matrix sees keys
/// j ≤ i alone and the rest is 0. ∂x += y · (∂y − Σ y·∂y).
/// </summary>
internal sealed class Softmax : Node
{
    private const int Lanes = 16;

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
        var job = new ForwardRows(this);
        Workers.For(ref job, Shape.Rows, 2L * Shape.ElementCount);
    }

    internal override void Backward()
    {
        var job = new BackwardRows(this);
        Workers.For(ref job, Shape.Rows, Shape.ElementCount);
    }

    private unsafe void ForwardRow(int row)
    {
        var (columns, allowed) = (Shape.Columns, Allowed(row));
        fixed (float* source = x.V.Slice(row * columns, columns), target = V.Slice(row * columns, columns))
        {
            var largest = Vector512.Create(float.NegativeInfinity);
            for (var j = 0; j < allowed; j += Lanes)
            {
                var count = Math.Min(Lanes, allowed - j);
                largest = Vector512.Max(largest, Vector512.ConditionalSelect(Simd.First(count), Simd.LoadFirst(source + j, count), largest));
            }

            var max = Vector512.Create(Simd.Max(largest));
            var sum = Vector512<float>.Zero;
            for (var j = 0; j < allowed; j += Lanes)
            {
                var count = Math.Min(Lanes, allowed - j);
                var exponential = VectorMath.Exp(Simd.LoadFirst(source + j, count) - max) & Simd.First(count);
                Simd.StoreFirst(exponential, target + j, count);
                sum += exponential;
            }

            var scale = Vector512.Create(1 / Vector512.Sum(sum));
            for (var j = 0; j < columns; j += Lanes)
            {
                // Past the allowed keys the pattern is 0.
                var count = Math.Min(Lanes, columns - j);
                var y = Simd.LoadFirst(target + j, Math.Clamp(allowed - j, 0, count)) * scale;
                Simd.StoreFirst(y, target + j, count);
            }
        }
    }

    private unsafe void BackwardRow(int row)
    {
        var (columns, allowed) = (Shape.Columns, Allowed(row));
        fixed (float* y = V.Slice(row * columns, columns), gradient = G.Slice(row * columns, columns), target = x.G.Slice(row * columns, columns))
        {
            var sum = Vector512<float>.Zero;
            for (var j = 0; j < allowed; j += Lanes)
            {
                var count = Math.Min(Lanes, allowed - j);
                sum += Simd.LoadFirst(y + j, count) * Simd.LoadFirst(gradient + j, count);
            }

            var mean = Vector512.Create(Vector512.Sum(sum));
            for (var j = 0; j < allowed; j += Lanes)
            {
                var count = Math.Min(Lanes, allowed - j);
                var change = Simd.LoadFirst(y + j, count) * (Simd.LoadFirst(gradient + j, count) - mean);
                Simd.StoreFirst(Simd.LoadFirst(target + j, count) + change, target + j, count);
            }
        }
    }

    /// <summary>How many keys, from the first, this row may see.</summary>
    private int Allowed(int row) => causal ? row % Shape[^2] + 1 : Shape.Columns;

    private readonly struct ForwardRows(Softmax softmax) : IJob
    {
        public void Run(int from, int to)
        {
            for (var row = from; row < to; row++)
            {
                softmax.ForwardRow(row);
            }
        }
    }

    private readonly struct BackwardRows(Softmax softmax) : IJob
    {
        public void Run(int from, int to)
        {
            for (var row = from; row < to; row++)
            {
                softmax.BackwardRow(row);
            }
        }
    }
}
