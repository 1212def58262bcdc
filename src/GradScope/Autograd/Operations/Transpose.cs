namespace GradScope.Operations;

/// <summary>y[…, j, i] = x[…, i, j]: the last two dimensions exchanged; ∂x += ∂yᵀ.</summary>
internal sealed class Transpose(Node x) : Node(x.Tape, x.Shape.Transposed, x)
{
    public override string Formula => $"{x.Label}ᵀ";

    public override IReadOnlyList<string> BackwardRule => ["Gᵀ"];

    private protected override string OperationName => "Transpose";

    internal override void Forward()
    {
        var (rows, columns) = (x.Shape[^2], x.Shape[^1]);
        var xs = x.V;
        var ys = V;
        for (var start = 0; start < xs.Length; start += rows * columns)
        {
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j++)
                {
                    ys[start + j * rows + i] = xs[start + i * columns + j];
                }
            }
        }
    }

    internal override void Backward()
    {
        var (rows, columns) = (x.Shape[^2], x.Shape[^1]);
        var gradient = G;
        var target = x.G;
        for (var start = 0; start < target.Length; start += rows * columns)
        {
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j++)
                {
                    target[start + i * columns + j] += gradient[start + j * rows + i];
                }
            }
        }
    }
}
