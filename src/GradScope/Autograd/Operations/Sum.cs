namespace GradScope.Operations;

/// <summary>
/// y = scale · Σ x, over all elements or along one axis (scale 1 is a sum, 1/n a mean); ∂x += scale · ∂y, the same for each
/// element that was summed.
/// </summary>
internal sealed class Sum : Node
{
    private readonly Node x;
    private readonly bool isMean;
    private readonly float scale;
    private readonly int outer;
    private readonly int count;
    private readonly int inner;

    /// <param name="x">What is summed.</param>
    /// <param name="axis">The axis; null for all elements.</param>
    /// <param name="keepAxis">Whether the axis stays, with size 1.</param>
    /// <param name="isMean">Whether the sum is divided by its number of terms.</param>
    public Sum(Node x, int? axis, bool keepAxis, bool isMean)
        : base(x.Tape, Reduced(x, axis, keepAxis, isMean), x)
    {
        (this.x, this.isMean) = (x, isMean);
        (outer, count, inner) = (1, x.Shape.ElementCount, 1);
        if (axis is { } along)
        {
            count = x.Shape[along];
            for (var i = 0; i < x.Shape.Rank; i++)
            {
                outer *= i < along ? x.Shape[i] : 1;
                inner *= i > along ? x.Shape[i] : 1;
            }
        }

        scale = isMean ? 1f / count : 1;
    }

    public override string Formula => isMean ? $"mean({x.Label})" : $"Σ {x.Label}";

    public override IReadOnlyList<string> BackwardRule => [isMean ? $"G / {count}" : "G"];

    private protected override string OperationName => isMean ? "Mean" : "Sum";

    internal override void Forward()
    {
        var xs = x.V;
        var ys = V;
        for (var o = 0; o < outer; o++)
        {
            for (var i = 0; i < inner; i++)
            {
                var sum = 0.0;
                for (var n = 0; n < count; n++)
                {
                    sum += xs[(o * count + n) * inner + i];
                }

                ys[o * inner + i] = (float)(sum * (isMean ? 1.0 / count : 1));
            }
        }
    }

    internal override void Backward()
    {
        var gradient = G;
        var target = x.G;
        for (var o = 0; o < outer; o++)
        {
            for (var i = 0; i < inner; i++)
            {
                for (var n = 0; n < count; n++)
                {
                    target[(o * count + n) * inner + i] += scale * gradient[o * inner + i];
                }
            }
        }
    }

    private static Shape Reduced(Node x, int? axis, bool keepAxis, bool isMean)
    {
        if (axis is not { } along)
        {
            return Shape.Scalar;
        }

        if (along < 0 || along >= x.Shape.Rank)
        {
            throw new ArgumentException($"{(isMean ? "Mean" : "Sum")}: {x.Label} is {x.Shape} and has no axis {along}; choose 0 to {x.Shape.Rank - 1}.");
        }

        var sizes = x.Shape.ToList();
        if (keepAxis)
        {
            sizes[along] = 1;
        }
        else
        {
            sizes.RemoveAt(along);
        }

        return new Shape([.. sizes]);
    }
}
