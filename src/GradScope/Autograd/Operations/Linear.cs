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
        var gradient = GradBuffer.AsMatrix(rows, Shape.Columns);
        if (x.RequiresGrad)
        {
            MatrixProduct.Multiply(gradient, Weight(weight.ValueBuffer).Transposed, x.GradBuffer.AsMatrix(rows, x.Shape.Columns), x.Accumulates());
        }

        if (weight.RequiresGrad)
        {
            MatrixProduct.Multiply(x.ValueBuffer.AsMatrix(rows, x.Shape.Columns).Transposed, gradient, Weight(weight.GradBuffer), weight.Accumulates());
        }

        if (bias is { RequiresGrad: true })
        {
            Reductions.SumRows(GradBuffer, bias.GradBuffer, bias.Accumulates());
        }
    }

    private Matrix Weight(Buffer buffer) => buffer.AsMatrix(weight.Shape[0], weight.Shape[1]);

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
