namespace GradScope.Operations;

/// <summary>
/// y = x·W + b for each row of x, W being (in, out) and b (out) or absent. ∂x += ∂y·Wᵀ, ∂W += xᵀ·∂y, ∂b += the sum of ∂y's rows.
/// </summary>
internal sealed unsafe class Linear : Node
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
        Input, Weight(weight.ValueBuffer), ValueBuffer.AsMatrix(rows, Shape.Columns),
        accumulate: false, bias: bias?.ValueBuffer.Array, biasOffset: bias?.ValueBuffer.Offset ?? 0);

    internal override void Backward()
    {
        var addsToX = x.RequiresGrad && x.Accumulates();
        var addsToWeight = weight.RequiresGrad && weight.Accumulates();
        var addsToBias = bias is { RequiresGrad: true } && bias.Accumulates();
        if (!weight.RequiresGrad || !HalvedSum.Suits(weight.Shape[0], weight.Shape[1], rows))
        {
            if (x.RequiresGrad) BackwardX(0, rows, addsToX, PackWeight());
            BackwardSums(
                0, rows, weight.GradBuffer, addsToWeight, bias?.GradBuffer ?? default, addsToBias,
                weight.RequiresGrad ? MatrixProduct.Pack(Input.Transposed, Gradient) : null);
            return;
        }

        // One job, so that the threads wait for one another but once.
        var ofWeight = Arena.Pad(weight.Shape.ElementCount);
        var sums = new HalvedSum(ofWeight + Shape.Columns);
        var pieces = new Pieces(this, addsToX, sums, ofWeight);
        Workers.For(ref pieces, pieces.Count, 2 * MatrixProduct.Cost(rows, weight.Shape[0], weight.Shape[1]), least: pieces.Least, even: pieces.AreEven);
        sums.AddUp(weight.GradBuffer, addsToWeight);
        if (bias is { RequiresGrad: true }) sums.AddUp(bias.GradBuffer, addsToBias, ofWeight);
    }

    private Matrix Input => x.ValueBuffer.AsMatrix(rows, x.Shape.Columns);

    private Matrix Gradient => GradBuffer.AsMatrix(rows, Shape.Columns);

    private float* PackWeight() => MatrixProduct.Pack(Gradient, Weight(weight.ValueBuffer).Transposed);

    /// <summary>∂x of some rows, up to but without <paramref name="end"/>.</summary>
    private void BackwardX(int first, int end, bool adds, float* packedWeight) => MatrixProduct.MultiplyWhole(
        Gradient.RowRange(first, end), Weight(weight.ValueBuffer).Transposed, x.GradBuffer.AsMatrix(rows, x.Shape.Columns).RowRange(first, end),
        adds, packed: packedWeight);

    /// <summary>What some of the rows, up to but without <paramref name="end"/>, add to ∂W and ∂b or make of a part of them.</summary>
    private void BackwardSums(int first, int end, Buffer ofWeight, bool addsToWeight, Buffer ofBias, bool addsToBias, float* packedGradient = null)
    {
        if (weight.RequiresGrad)
        {
            MatrixProduct.MultiplyWhole(
                Input.RowRange(first, end).Transposed, Gradient.RowRange(first, end), Weight(ofWeight), addsToWeight, packed: packedGradient);
        }

        if (bias is { RequiresGrad: true }) Reductions.SumRows(GradBuffer, first, end, ofBias, addsToBias);
    }

    private Matrix Weight(Buffer buffer) => buffer.AsMatrix(weight.Shape[0], weight.Shape[1]);

    /// <summary>
    /// The rows' first half of ∂W and ∂b, ∂x, and the second half: whichever of the two threads comes through first does more of ∂x, and the
    /// sums are the same. Half of ∂W costs as much as half of ∂x and counts as so many units, of which the outermost alone stands for it.
    /// </summary>
    private readonly struct Pieces : IJob
    {
        private const int RowsOfUnit = 8;

        private readonly Linear node;
        private readonly bool addsToX;
        private readonly HalvedSum sums;
        private readonly int ofWeight;
        private readonly float* packed;
        private readonly int unitsOfHalf;

        public Pieces(Linear node, bool addsToX, HalvedSum sums, int ofWeight)
        {
            (this.node, this.addsToX, this.sums, this.ofWeight) = (node, addsToX, sums, ofWeight);
            packed = node.x.RequiresGrad ? node.PackWeight() : null;
            unitsOfHalf = (node.rows + 2 * RowsOfUnit - 1) / (2 * RowsOfUnit);
        }

        /// <summary>Without ∂x there is but a half for each thread.</summary>
        public int Count => node.x.RequiresGrad ? 4 * unitsOfHalf : 2;

        /// <summary>Units of the smallest piece; all, so that there are but two, where each packs the weight for itself.</summary>
        public int Least => packed == null ? Count : MatrixProduct.RowsOfPiece / RowsOfUnit;

        /// <summary>In two pieces each has a whole half of ∂W; in more, one may end within what stands for it.</summary>
        public bool AreEven => packed == null;

        public void Run(int from, int to)
        {
            if (from == 0) Sums(0);
            var (first, end) = (Math.Max(from - unitsOfHalf, 0) * RowsOfUnit, Math.Min((to - unitsOfHalf) * RowsOfUnit, node.rows));
            if (node.x.RequiresGrad && first < end) node.BackwardX(first, end, addsToX, packed);
            if (to == Count) Sums(1);
        }

        private void Sums(int half)
        {
            var (first, end) = HalvedSum.Range(half, node.rows);
            var ofBias = sums[half] with { Offset = sums[half].Offset + ofWeight, Length = node.Shape.Columns };
            node.BackwardSums(first, end, sums[half], addsToWeight: false, ofBias, addsToBias: false);
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
