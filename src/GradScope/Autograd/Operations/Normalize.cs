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
                for (var first = from; first < to; first += Reductions.RowsAtOnce)
                {
                    var end = Math.Min(first + Reductions.RowsAtOnce, to);
                    for (var row = first; row < end; row++) node.means[row] = node.centred ? Mean<TLanes>(xs + row * columns, columns) : 0;
                    for (var row = first; row < end; row++) node.scales[row] = Scale<TLanes>(xs + row * columns, columns, node.means[row]);
                    for (var row = first; row < end; row++)
                    {
                        Write<TLanes>(xs + row * columns, ys + row * columns, columns, weight, bias, node.means[row], node.scales[row]);
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static float Mean<TLanes>(float* x, int columns) where TLanes : struct, ILanes<TLanes>
        {
            TLanes sum = default;
            var j = 0;
            for (; j <= columns - TLanes.Width; j += TLanes.Width) sum += TLanes.Load(x + j);
            if (j < columns) sum += TLanes.LoadFirst(x + j, columns - j);
            return sum.Sum() / columns;
        }

        /// <summary>1/√(variance + ε).</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static float Scale<TLanes>(float* x, int columns, TLanes mean) where TLanes : struct, ILanes<TLanes>
        {
            TLanes squares = default;
            var j = 0;
            for (; j <= columns - TLanes.Width; j += TLanes.Width) squares = AddSquare(TLanes.Load(x + j) - mean, squares);
            if (j < columns) squares = AddSquare((TLanes.LoadFirst(x + j, columns - j) - mean) & TLanes.First(columns - j), squares);
            return 1 / MathF.Sqrt(squares.Sum() / columns + Epsilon);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TLanes AddSquare<TLanes>(TLanes deviation, TLanes sum) where TLanes : struct, ILanes<TLanes> =>
            TLanes.MultiplyAdd(deviation, deviation, sum);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Write<TLanes>(float* x, float* y, int columns, float* weight, float* bias, TLanes mean, TLanes scale)
            where TLanes : struct, ILanes<TLanes>
        {
            var j = 0;
            for (; j <= columns - TLanes.Width; j += TLanes.Width) WritePart(x, y, weight, bias, j, TLanes.Width, mean, scale);
            if (j < columns) WritePart(x, y, weight, bias, j, columns - j, mean, scale);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void WritePart<TLanes>(float* x, float* y, float* weight, float* bias, int j, int count, TLanes mean, TLanes scale)
            where TLanes : struct, ILanes<TLanes>
        {
            var scaled = (TLanes.LoadFirst(x + j, count) - mean) * scale * TLanes.LoadFirst(weight + j, count);
            (bias is null ? scaled : scaled + TLanes.LoadFirst(bias + j, count)).StoreFirst(y + j, count);
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
                    for (var row = first; row < end; row += Reductions.RowsAtOnce)
                    {
                        var rows = Math.Min(Reductions.RowsAtOnce, end - row);
                        var x = xs + row * columns;
                        var gradient = gradients + row * columns;
                        if (targets is not null) OfX<TLanes>(row, rows, x, gradient, targets + row * columns, columns, weight);
                        if (node.weight.RequiresGrad) OfWeight<TLanes>(row, rows, x, gradient, weightSum, columns);
                        if (node.bias is { RequiresGrad: true }) Reductions.AddRows<TLanes>(gradient, rows, columns, biasSum);
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void OfX<TLanes>(int first, int rows, float* x, float* gradient, float* target, int columns, float* weight)
            where TLanes : struct, ILanes<TLanes>
        {
            var ofGradient = stackalloc float[Reductions.RowsAtOnce];
            var ofProjection = stackalloc float[Reductions.RowsAtOnce];
            for (var row = 0; row < rows; row++)
            {
                var (mean, scale) = (node.means[first + row], node.scales[first + row]);
                (ofGradient[row], ofProjection[row]) = Means<TLanes>(x + row * columns, gradient + row * columns, columns, weight, mean, scale);
            }

            for (var row = 0; row < rows; row++, x += columns, gradient += columns, target += columns)
            {
                TLanes mean = node.means[first + row];
                TLanes scale = node.scales[first + row];
                TLanes meanOfG = node.centred ? ofGradient[row] : 0;
                TLanes meanOfProjection = ofProjection[row];
                var j = 0;
                for (; j <= columns - TLanes.Width; j += TLanes.Width) Write(j, TLanes.Width, x, gradient, target, weight, mean, scale, meanOfG, meanOfProjection);
                if (j < columns) Write(j, columns - j, x, gradient, target, weight, mean, scale, meanOfG, meanOfProjection);
            }
        }

        /// <summary>mean(ĝ) and mean(ĝ·x̂).</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static (float Gradient, float Projection) Means<TLanes>(float* x, float* gradient, int columns, float* weight, TLanes mean, TLanes scale)
            where TLanes : struct, ILanes<TLanes>
        {
            TLanes sum = default;
            TLanes projection = default;
            var j = 0;
            for (; j <= columns - TLanes.Width; j += TLanes.Width) AddTerms(x + j, gradient + j, weight + j, TLanes.Width, mean, scale, ref sum, ref projection);
            if (j < columns) AddTerms(x + j, gradient + j, weight + j, columns - j, mean, scale, ref sum, ref projection);
            return (sum.Sum() / columns, projection.Sum() / columns);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void AddTerms<TLanes>(
            float* x, float* gradient, float* weight, int count, TLanes mean, TLanes scale, ref TLanes sum, ref TLanes projection)
            where TLanes : struct, ILanes<TLanes>
        {
            var g = TLanes.LoadFirst(gradient, count) * TLanes.LoadFirst(weight, count);
            sum += g;
            projection += g * (TLanes.LoadFirst(x, count) - mean) * scale;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Write<TLanes>(
            int j, int count, float* x, float* gradient, float* target, float* weight, TLanes mean, TLanes scale, TLanes meanOfG, TLanes meanOfProjection)
            where TLanes : struct, ILanes<TLanes>
        {
            var g = TLanes.LoadFirst(gradient + j, count) * TLanes.LoadFirst(weight + j, count);
            var normalised = (TLanes.LoadFirst(x + j, count) - mean) * scale;
            var change = scale * (g - meanOfG - normalised * meanOfProjection);
            (accumulate ? TLanes.LoadFirst(target + j, count) + change : change).StoreFirst(target + j, count);
        }

        /// <summary>Two vectors of the weight at a time stay in registers.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void OfWeight<TLanes>(int first, int rows, float* x, float* gradient, float* sums, int columns)
            where TLanes : struct, ILanes<TLanes>
        {
            var width = TLanes.Width;
            var j = 0;
            for (; j <= columns - 2 * width; j += 2 * width) OfWeight<TLanes>(first, rows, x + j, gradient + j, sums + j, columns, width, width);
            for (; j < columns; j += width) OfWeight<TLanes>(first, rows, x + j, gradient + j, sums + j, columns, Math.Min(width, columns - j), 0);
        }

        /// <summary>Columns of the rows, so many in each of two vectors.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void OfWeight<TLanes>(int first, int rows, float* x, float* gradient, float* sums, int columns, int n0, int n1)
            where TLanes : struct, ILanes<TLanes>
        {
            var left = TLanes.LoadFirst(sums, n0);
            var right = TLanes.LoadFirst(sums + TLanes.Width, n1);
            for (var row = 0; row < rows; row++, x += columns, gradient += columns)
            {
                TLanes mean = node.means[first + row];
                TLanes scale = node.scales[first + row];
                left += TLanes.LoadFirst(gradient, n0) * (TLanes.LoadFirst(x, n0) - mean) * scale;
                right += TLanes.LoadFirst(gradient + TLanes.Width, n1) * (TLanes.LoadFirst(x + TLanes.Width, n1) - mean) * scale;
            }

            left.StoreFirst(sums, n0);
            right.StoreFirst(sums + TLanes.Width, n1);
        }
    }
}
