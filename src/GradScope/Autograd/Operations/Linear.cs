namespace GradScope.Operations;

/// <summary>
/// y = x·W + b for each row of x, W being (in, out) and b (out) or absent. ∂x += ∂y·Wᵀ, ∂W += xᵀ·∂y, ∂b += the sum of ∂y's rows.
/// </summary>
internal sealed class Linear : Node
{
    private readonly Node x;
    private readonly Node weight;
    private readonly Node? bias;
    private readonly int rows;

    public Linear(Node x, Node weight, Node? bias)
        : base(x.Tape, ResultShape(x, weight, bias), bias is null ? [x, weight] : [x, weight, bias])
    {
        (this.x, this.weight, this.bias) = (x, weight, bias);
        rows = x.Shape.Rows;
    }

    public override string Formula => bias is null ? $"{x.Label} · {weight.Label}" : $"{x.Label} · {weight.Label} + {bias.Label}";

    public override IReadOnlyList<string> BackwardRule => bias is null
        ? [$"G · {weight.Label}ᵀ", $"{x.Label}ᵀ · G"]
        : [$"G · {weight.Label}ᵀ", $"{x.Label}ᵀ · G", "Σ rows of G"];

    private protected override string OperationName => "Linear";

    internal override bool WritesWholeGradients => true;

    internal override void Forward() => MatrixProduct.Multiply(
        x.ValueBuffer.AsMatrix(rows, x.Shape.Columns), Weight(weight.ValueBuffer), ValueBuffer.AsMatrix(rows, Shape.Columns),
        accumulate: false, bias: bias?.ValueBuffer.Array, biasOffset: bias?.ValueBuffer.Offset ?? 0);

    internal override void Backward()
    {
        var addsToX = x.RequiresGrad && x.Accumulates();
        var addsToWeight = weight.RequiresGrad && weight.Accumulates();
        var addsToBias = bias is { RequiresGrad: true } && bias.Accumulates();
        if (!weight.RequiresGrad || !HalvedSum.Suits(weight.Shape[0], weight.Shape[1], rows))
        {
            Backward(0, rows, addsToX, weight.GradBuffer, addsToWeight, bias?.GradBuffer ?? default, addsToBias);
            return;
        }

        // Each thread does all of it for its half of the rows, so that they wait for one another but once.
        var ofWeight = Arena.Pad(weight.Shape.ElementCount);
        var sums = new HalvedSum(ofWeight + Shape.Columns);
        var halves = new Halves(this, addsToX, sums, ofWeight);
        Workers.For(ref halves, 2, 2 * MatrixProduct.Cost(rows, weight.Shape[0], weight.Shape[1]));
        sums.AddUp(weight.GradBuffer, addsToWeight);
        if (bias is { RequiresGrad: true })
        {
            sums.AddUp(bias.GradBuffer, addsToBias, ofWeight);
        }
    }

    /// <summary>What some of the rows, up to but without <paramref name="end"/>, make of their part of ∂x and of a sum for ∂W and ∂b.</summary>
    private void Backward(int first, int end, bool addsToX, Buffer ofWeight, bool addsToWeight, Buffer ofBias, bool addsToBias)
    {
        var gradient = GradBuffer.AsMatrix(rows, Shape.Columns).RowRange(first, end);
        if (x.RequiresGrad)
        {
            MatrixProduct.MultiplyWhole(
                gradient, Weight(weight.ValueBuffer).Transposed, x.GradBuffer.AsMatrix(rows, x.Shape.Columns).RowRange(first, end), addsToX);
        }

        if (weight.RequiresGrad)
        {
            MatrixProduct.MultiplyWhole(
                x.ValueBuffer.AsMatrix(rows, x.Shape.Columns).RowRange(first, end).Transposed, gradient, Weight(ofWeight), addsToWeight);
        }

        if (bias is { RequiresGrad: true })
        {
            Reductions.SumRows(GradBuffer, first, end, ofBias, addsToBias);
        }
    }

    private Matrix Weight(Buffer buffer) => buffer.AsMatrix(weight.Shape[0], weight.Shape[1]);

    private readonly struct Halves(Linear node, bool addsToX, HalvedSum sums, int ofWeight) : IJob
    {
        public void Run(int from, int to)
        {
            for (var half = from; half < to; half++)
            {
                var (first, end) = HalvedSum.Range(half, node.rows);
                var ofBias = sums[half] with { Offset = sums[half].Offset + ofWeight, Length = node.Shape.Columns };
                node.Backward(first, end, addsToX, sums[half], addsToWeight: false, ofBias, addsToBias: false);
            }
        }
    }

    private static Shape ResultShape(Node x, Node weight, Node? bias)
    {
        if (weight.Shape.Rank != 2 || x.Shape.Rank < 1 || x.Shape.Columns != weight.Shape[0])
        {
            throw new ArgumentException($"Linear: {x.Label} is {x.Shape} but {weight.Label} is {weight.Shape}; the weight must be (in, out) with in = {x.Shape.Columns}, x's last dimension.");
        }

        if (bias is not null && (bias.Shape.Rank != 1 || bias.Shape[0] != weight.Shape[1]))
        {
            throw new ArgumentException($"Linear: {bias.Label} is {bias.Shape}, but the bias must be ({weight.Shape[1]}), {weight.Label}'s last dimension.");
        }

        return x.Shape.WithColumns(weight.Shape[1]);
    }
}
