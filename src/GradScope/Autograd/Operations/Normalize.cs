using System.Runtime.Intrinsics;

namespace GradScope.Operations;

/// <summary>
/// LayerNorm: y = (x − mean) / √(variance + ε) · weight + bias along the last dimension (Ba et al. 2016); RMSNorm: the same
/// without mean and bias (Zhang and Sennrich 2019). With x̂ the normalised row, s its 1/√(…) and ĝ = ∂y · weight:
/// ∂x += s · (ĝ − mean(ĝ) − x̂ · mean(ĝ·x̂)), without mean(ĝ) for RMSNorm; ∂weight += Σ rows ∂y·x̂; ∂bias += Σ rows ∂y.
/// </summary>
internal sealed class Normalize : Node
{
    private const float Epsilon = 1e-5f;
    private const int Lanes = 16;

    private readonly Node x;
    private readonly Node weight;
    private readonly Node? bias;
    private readonly bool centred;
    private readonly float[] means;
    private readonly float[] scales;

    public Normalize(Node x, Node weight, Node? bias, bool centred)
        : base(x.Tape, x.Shape, bias is null ? [x, weight] : [x, weight, bias])
    {
        (this.x, this.weight, this.bias, this.centred) = (x, weight, bias, centred);
        foreach (var vector in Inputs.Skip(1))
        {
            if (x.Shape.Rank < 1 || vector.Shape.Rank != 1 || vector.Shape[0] != x.Shape.Columns)
            {
                throw new ArgumentException($"{OperationName}: {x.Label} is {x.Shape} but {vector.Label} is {vector.Shape}; it must be ({x.Shape.Columns}), x's last dimension.");
            }
        }

        (means, scales) = (new float[x.Shape.Rows], new float[x.Shape.Rows]);
    }

    public override string Formula => (centred ? $"({x.Label} − mean)/σ · {weight.Label}" : $"{x.Label}/rms · {weight.Label}") + (bias is null ? "" : $" + {bias.Label}");

    public override IReadOnlyList<string> BackwardRule
    {
        get
        {
            string[] rules = [centred ? $"(ĝ − mean ĝ − x̂ · mean(ĝ·x̂)) / σ, ĝ = G · {weight.Label}" : $"(ĝ − x̂ · mean(ĝ·x̂)) / rms, ĝ = G · {weight.Label}", "Σ rows of G · x̂"];
            return bias is null ? rules : [.. rules, "Σ rows of G"];
        }
    }

    private protected override string OperationName => centred ? "LayerNorm" : "RmsNorm";

    internal override void Forward()
    {
        var job = new ForwardRows(this);
        Workers.For(ref job, means.Length, Shape.ElementCount);
    }

    internal override void Backward()
    {
        if (x.RequiresGrad)
        {
            var job = new BackwardRows(this);
            Workers.For(ref job, means.Length, Shape.ElementCount);
        }

        if (weight.RequiresGrad || bias is { RequiresGrad: true })
        {
            // Each stretch of columns is summed over all rows in their order, so that two threads add as one does.
            var job = new BackwardColumns(this);
            Workers.For(ref job, (Shape.Columns + Lanes - 1) / Lanes, Shape.ElementCount / 2);
        }
    }

    private unsafe void ForwardRow(int row)
    {
        var columns = Shape.Columns;
        fixed (float* source = x.V.Slice(row * columns, columns), target = V.Slice(row * columns, columns), w = weight.V, b = bias is null ? [] : bias.V)
        {
            var sum = Vector512<float>.Zero;
            for (var j = 0; centred && j < columns; j += Lanes)
            {
                sum += Simd.LoadFirst(source + j, Math.Min(Lanes, columns - j));
            }

            var mean = Vector512.Sum(sum) / columns;
            var squares = Vector512<float>.Zero;
            for (var j = 0; j < columns; j += Lanes)
            {
                var count = Math.Min(Lanes, columns - j);
                var deviation = (Simd.LoadFirst(source + j, count) - Vector512.Create(mean)) & Simd.First(count);
                squares += deviation * deviation;
            }

            var scale = 1 / MathF.Sqrt(Vector512.Sum(squares) / columns + Epsilon);
            (means[row], scales[row]) = (mean, scale);
            for (var j = 0; j < columns; j += Lanes)
            {
                var count = Math.Min(Lanes, columns - j);
                var normalised = (Simd.LoadFirst(source + j, count) - Vector512.Create(mean)) * scale;
                var y = normalised * Simd.LoadFirst(w + j, count);
                Simd.StoreFirst(b is null ? y : y + Simd.LoadFirst(b + j, count), target + j, count);
            }
        }
    }

    private unsafe void BackwardRow(int row)
    {
        var columns = Shape.Columns;
        var (mean, scale) = (means[row], scales[row]);
        fixed (float* source = x.V.Slice(row * columns, columns), gradient = G.Slice(row * columns, columns), target = x.G.Slice(row * columns, columns), w = weight.V)
        {
            var (sum, projection) = (Vector512<float>.Zero, Vector512<float>.Zero);
            for (var j = 0; j < columns; j += Lanes)
            {
                var count = Math.Min(Lanes, columns - j);
                var g = Simd.LoadFirst(gradient + j, count) * Simd.LoadFirst(w + j, count);
                sum += g;
                projection += g * (Simd.LoadFirst(source + j, count) - Vector512.Create(mean)) * scale;
            }

            var meanOfG = Vector512.Create(centred ? Vector512.Sum(sum) / columns : 0);
            var meanOfProjection = Vector512.Sum(projection) / columns;
            for (var j = 0; j < columns; j += Lanes)
            {
                var count = Math.Min(Lanes, columns - j);
                var g = Simd.LoadFirst(gradient + j, count) * Simd.LoadFirst(w + j, count);
                var normalised = (Simd.LoadFirst(source + j, count) - Vector512.Create(mean)) * scale;
                var change = scale * (g - meanOfG - normalised * meanOfProjection);
                Simd.StoreFirst(Simd.LoadFirst(target + j, count) + change, target + j, count);
            }
        }
    }

    private unsafe void BackwardStretch(int j)
    {
        var columns = Shape.Columns;
        var count = Math.Min(Lanes, columns - j);
        var (ofWeight, ofBias) = (Vector512<float>.Zero, Vector512<float>.Zero);
        fixed (float* source = x.V, gradient = G)
        {
            for (var row = 0; row < means.Length; row++)
            {
                var g = Simd.LoadFirst(gradient + row * columns + j, count);
                ofWeight += g * (Simd.LoadFirst(source + row * columns + j, count) - Vector512.Create(means[row])) * scales[row];
                ofBias += g;
            }
        }

        AddTo(weight, ofWeight);
        if (bias is not null)
        {
            AddTo(bias, ofBias);
        }

        void AddTo(Node vector, Vector512<float> gradient)
        {
            if (vector.RequiresGrad)
            {
                fixed (float* target = vector.G)
                {
                    Simd.StoreFirst(Simd.LoadFirst(target + j, count) + gradient, target + j, count);
                }
            }
        }
    }

    private readonly struct ForwardRows(Normalize norm) : IJob
    {
        public void Run(int from, int to)
        {
            for (var row = from; row < to; row++)
            {
                norm.ForwardRow(row);
            }
        }
    }

    private readonly struct BackwardRows(Normalize norm) : IJob
    {
        public void Run(int from, int to)
        {
            for (var row = from; row < to; row++)
            {
                norm.BackwardRow(row);
            }
        }
    }

    private readonly struct BackwardColumns(Normalize norm) : IJob
    {
        public void Run(int from, int to)
        {
            for (var stretch = from; stretch < to; stretch++)
            {
                norm.BackwardStretch(stretch * Lanes);
            }
        }
    }
}
