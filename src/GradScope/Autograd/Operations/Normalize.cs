using System.Runtime.CompilerServices;

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

    internal override bool WritesWholeGradients => true;

    internal override void Forward() => Lanes.For(new ForwardRows(this), means.Length, Shape.ElementCount);

    internal override void Backward()
    {
        var sums = new HalvedSum(2 * Arena.Pad(Shape.Columns));
        Lanes.For(new BackwardRows(this, x.RequiresGrad && x.Accumulates(), sums), 2, Shape.ElementCount);
        if (weight.RequiresGrad)
        {
            sums.AddUp(weight.GradBuffer, weight.Accumulates());
        }

        if (bias is { RequiresGrad: true })
        {
            sums.AddUp(bias.GradBuffer, bias.Accumulates(), Arena.Pad(Shape.Columns));
        }
    }

    private readonly unsafe struct ForwardRows(Normalize node) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var columns = node.Shape.Columns;
            fixed (float* xs = node.x.V, ys = node.V, weight = node.weight.V, bias = node.bias is null ? [] : node.bias.V)
            {
                for (var row = from; row < to; row++)
                {
                    (node.means[row], node.scales[row]) = Row<TLanes>(xs + row * columns, ys + row * columns, columns, weight, bias, node.centred);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static (float Mean, float Scale) Row<TLanes>(float* x, float* y, int columns, float* weight, float* bias, bool centred)
            where TLanes : struct, ILanes<TLanes>
        {
            TLanes sum = default;
            for (var j = 0; centred && j < columns; j += TLanes.Width)
            {
                sum += TLanes.LoadFirst(x + j, Math.Min(TLanes.Width, columns - j));
            }

            var mean = sum.Sum() / columns;
            TLanes squares = default;
            for (var j = 0; j < columns; j += TLanes.Width)
            {
                var count = Math.Min(TLanes.Width, columns - j);
                var deviation = (TLanes.LoadFirst(x + j, count) - mean) & TLanes.First(count);
                squares += deviation * deviation;
            }

            var scale = 1 / MathF.Sqrt(squares.Sum() / columns + Epsilon);
            for (var j = 0; j < columns; j += TLanes.Width)
            {
                var count = Math.Min(TLanes.Width, columns - j);
                var scaled = (TLanes.LoadFirst(x + j, count) - mean) * scale * TLanes.LoadFirst(weight + j, count);
                (bias is null ? scaled : scaled + TLanes.LoadFirst(bias + j, count)).StoreFirst(y + j, count);
            }

            return (mean, scale);
        }
    }

    private readonly unsafe struct BackwardRows(Normalize node, bool accumulate, HalvedSum sums) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var columns = node.Shape.Columns;
            fixed (float* xs = node.x.V, gradients = node.G, targets = node.x.RequiresGrad ? node.x.G : [], weight = node.weight.V)
            {
                for (var half = from; half < to; half++)
                {
                    var weightSum = sums.Begin(half);
                    var biasSum = weightSum + Arena.Pad(columns);
                    var (first, end) = HalvedSum.Range(half, node.means.Length);
                    for (var row = first; row < end; row++)
                    {
                        var x = xs + row * columns;
                        var gradient = gradients + row * columns;
                        var (mean, scale) = (node.means[row], node.scales[row]);
                        if (targets is not null) OfX<TLanes>(x, gradient, targets + row * columns, columns, weight, mean, scale);
                        if (node.weight.RequiresGrad) OfWeight<TLanes>(x, gradient, weightSum, columns, mean, scale);
                        if (node.bias is { RequiresGrad: true }) Reductions.Add<TLanes>(gradient, biasSum, columns);
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void OfX<TLanes>(float* x, float* gradient, float* target, int columns, float* weight, float mean, float scale)
            where TLanes : struct, ILanes<TLanes>
        {
            TLanes sum = default;
            TLanes projection = default;
            for (var j = 0; j < columns; j += TLanes.Width)
            {
                var count = Math.Min(TLanes.Width, columns - j);
                var g = TLanes.LoadFirst(gradient + j, count) * TLanes.LoadFirst(weight + j, count);
                sum += g;
                projection += g * (TLanes.LoadFirst(x + j, count) - mean) * scale;
            }

            var meanOfG = node.centred ? sum.Sum() / columns : 0;
            var meanOfProjection = projection.Sum() / columns;
            for (var j = 0; j < columns; j += TLanes.Width)
            {
                var count = Math.Min(TLanes.Width, columns - j);
                var g = TLanes.LoadFirst(gradient + j, count) * TLanes.LoadFirst(weight + j, count);
                var normalised = (TLanes.LoadFirst(x + j, count) - mean) * scale;
                var change = scale * (g - meanOfG - normalised * meanOfProjection);
                (accumulate ? TLanes.LoadFirst(target + j, count) + change : change).StoreFirst(target + j, count);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void OfWeight<TLanes>(float* x, float* gradient, float* sums, int columns, float mean, float scale)
            where TLanes : struct, ILanes<TLanes>
        {
            for (var j = 0; j < columns; j += TLanes.Width)
            {
                var count = Math.Min(TLanes.Width, columns - j);
                var change = TLanes.LoadFirst(gradient + j, count) * (TLanes.LoadFirst(x + j, count) - mean) * scale;
                (TLanes.LoadFirst(sums + j, count) + change).StoreFirst(sums + j, count);
            }
        }
    }
}
