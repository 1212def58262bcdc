namespace GradScope.Operations;

/// <summary>
/// c = a·b, c[…, i, j] = Σₖ a[…, i, k] · b[…, k, j], for each matrix of the leading dimensions, which must be equal, or missing
/// on one side (then that matrix is used for all). ∂a += ∂c·bᵀ, ∂b += aᵀ·∂c, summed over what was used repeatedly.
/// </summary>
internal sealed class MatMul : Node
{
    private readonly Node a;
    private readonly Node b;

    public MatMul(Node a, Node b)
        : base(a.Tape, ResultShape(a, b), a, b) => (this.a, this.b) = (a, b);

    public override string Formula => $"{a.Label} · {b.Label}";

    public override IReadOnlyList<string> BackwardRule => [$"G · {b.Label}ᵀ", $"{a.Label}ᵀ · G"];

    private protected override string OperationName => "MatMul";

    internal override void Forward() => MatrixProduct.Multiply(
        View(a, a.ValueBuffer), View(b, b.ValueBuffer), View(this, ValueBuffer), accumulate: false);

    internal override void Backward()
    {
        var gradient = View(this, GradBuffer);
        if (a.RequiresGrad)
        {
            Accumulate(gradient, View(b, b.ValueBuffer).Transposed, View(a, a.GradBuffer));
        }

        if (b.RequiresGrad)
        {
            Accumulate(View(a, a.ValueBuffer).Transposed, gradient, View(b, b.GradBuffer));
        }
    }

    /// <summary>target += left·right; where one target serves the whole stack, matrix by matrix.</summary>
    private static void Accumulate(Matrix left, Matrix right, Matrix target)
    {
        var repeated = Math.Max(left.Outer, right.Outer);
        if (target.OuterStride != 0 || repeated == 1)
        {
            MatrixProduct.Multiply(left, right, target, accumulate: true);
            return;
        }

        for (var o = 0; o < repeated; o++)
        {
            MatrixProduct.Multiply(One(left, o), One(right, o), target with { Outer = 1 }, accumulate: true);
        }

        static Matrix One(Matrix stack, int index) => stack with { Offset = stack.Offset + index * stack.OuterStride, Outer = 1 };
    }

    /// <summary>The node as a stack of matrices; where the left side alone has leading dimensions they are rows of one matrix.</summary>
    private Matrix View(Node node, Buffer buffer)
    {
        var columns = node.Shape.Columns;
        if (b.Shape.Rank == 2)
        {
            return buffer.AsMatrix(node.Shape.Rows, columns);
        }

        var rows = node.Shape[^2];
        var stack = Shape.ElementCount / (Shape[^2] * Shape[^1]);
        return buffer.AsMatrix(rows, columns) with { Outer = stack, OuterStride = node.Shape.Rank == 2 ? 0 : rows * columns };
    }

    private static Shape ResultShape(Node a, Node b)
    {
        var (x, y) = (a.Shape, b.Shape);
        if (x.Rank < 2 || y.Rank < 2)
        {
            throw new ArgumentException($"MatMul: {a.Label} is {x} and {b.Label} is {y}; both need at least 2 dimensions. Reshape a vector to one row or column first.");
        }

        if (x[^1] != y[^2])
        {
            throw new ArgumentException($"MatMul: {a.Label} is {x} but {b.Label} is {y}; a's last dimension must equal b's {(y.Rank == 2 ? "first" : "last but one")}.");
        }

        if (x.Rank > 2 && y.Rank > 2 && !x.SkipLast(2).SequenceEqual(y.SkipLast(2)))
        {
            throw new ArgumentException($"MatMul: {a.Label} is {x} but {b.Label} is {y}; the leading dimensions must be equal, or missing on one side.");
        }

        var leading = x.Rank >= y.Rank ? x : y;
        return new Shape([.. leading.SkipLast(2), x[^2], y[^1]]);
    }
}
