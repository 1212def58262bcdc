using System.Numerics.Tensors;

namespace GradScope.Operations;

/// <summary>
/// LayerNorm: y = (x − mean) / √(variance + ε) · weight + bias along the last dimension (Ba et al. 2016); RMSNorm: the same
/// without mean and bias (Zhang and Sennrich 2019). With x̂ the normalised row, s its 1/√(…) and ĝ = ∂y · weight:
/// ∂x += s · (ĝ − mean(ĝ) − x̂ · mean(ĝ·x̂)), without mean(ĝ) for RMSNorm; ∂weight += Σ rows ∂y·x̂; ∂bias += Σ rows ∂y.
/// </summary>
internal sealed class Normalize : Node
{
    private const float Epsilon = 1e-5f;

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
        var columns = Shape.Columns;
        for (var row = 0; row < means.Length; row++)
        {
            var source = x.V.Slice(row * columns, columns);
            var target = V.Slice(row * columns, columns);
            var mean = centred ? TensorPrimitives.Sum<float>(source) / columns : 0;
            TensorPrimitives.Subtract(source, mean, target);
            var scale = 1 / MathF.Sqrt(TensorPrimitives.SumOfSquares<float>(target) / columns + Epsilon);
            TensorPrimitives.Multiply(target, scale, target);
            (means[row], scales[row]) = (mean, scale);
            if (bias is null)
            {
                TensorPrimitives.Multiply(target, weight.V, target);
            }
            else
            {
                TensorPrimitives.MultiplyAdd(target, weight.V, bias.V, target);
            }
        }
    }

    internal override void Backward()
    {
        var columns = Shape.Columns;
        var w = weight.V;
        var b = bias;
        for (var row = 0; row < means.Length; row++)
        {
            var source = x.V.Slice(row * columns, columns);
            var gradient = G.Slice(row * columns, columns);
            var (mean, scale) = (means[row], scales[row]);
            var (sum, projection) = (0f, 0f);
            for (var j = 0; j < columns; j++)
            {
                var g = gradient[j] * w[j];
                sum += g;
                projection += g * (source[j] - mean) * scale;
            }

            sum = centred ? sum / columns : 0;
            projection /= columns;
            if (x.RequiresGrad)
            {
                var target = x.G.Slice(row * columns, columns);
                for (var j = 0; j < columns; j++)
                {
                    target[j] += scale * (gradient[j] * w[j] - sum - (source[j] - mean) * scale * projection);
                }
            }

            if (weight.RequiresGrad)
            {
                var target = weight.G;
                for (var j = 0; j < columns; j++)
                {
                    target[j] += gradient[j] * (source[j] - mean) * scale;
                }
            }

            if (b is { RequiresGrad: true })
            {
                TensorPrimitives.Add(b.G, gradient, b.G);
            }
        }
    }
}
