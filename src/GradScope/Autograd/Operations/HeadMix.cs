namespace GradScope.Operations;

/// <summary>
/// Attention's result, heads side by side: z[b, i, h·d + c] = Σ_j p[b, h, i, j] · v[b, j, h·d + c], where d is the head's width.
/// The pattern p is (batch, head, query, key), v and z are (batch, position, model). ∂p += ∂z·vᵀ, ∂v += pᵀ·∂z. Causal: p is 0 for
/// j &gt; i and stays so, and ∂p there is not asked for.
/// </summary>
internal sealed class HeadMix : Node
{
    private readonly Node pattern;
    private readonly Node v;
    private readonly Heads heads;
    private readonly bool causal;

    public HeadMix(Node pattern, Node v, bool causal)
        : base(pattern.Tape, ResultShape(pattern, v), pattern, v)
    {
        (this.pattern, this.v, this.causal) = (pattern, v, causal);
        heads = new(v.Shape, pattern.Shape[1]);
    }

    public override string Formula => $"{pattern.Label} · {v.Label}";

    public override IReadOnlyList<string> BackwardRule => [$"G · {v.Label}ᵀ", $"{pattern.Label}ᵀ · G"];

    private protected override string OperationName => "HeadMix";

    internal override bool WritesWholeGradients => true;

    internal override void Forward() => MatrixProduct.Multiply(
        heads.Maps(pattern.ValueBuffer), heads.Columns(v.ValueBuffer), heads.Columns(ValueBuffer),
        accumulate: false, triangle: causal ? Triangle.LowerLeft : Triangle.None);

    internal override void Backward()
    {
        if (pattern.RequiresGrad)
        {
            MatrixProduct.Multiply(
                heads.Columns(GradBuffer), heads.Columns(v.ValueBuffer).Transposed, heads.Maps(pattern.GradBuffer),
                pattern.Accumulates(), triangle: causal ? Triangle.LowerResult : Triangle.None, masked: 0);
        }

        if (v.RequiresGrad)
        {
            MatrixProduct.Multiply(
                heads.Maps(pattern.ValueBuffer).Transposed, heads.Columns(GradBuffer), heads.Columns(v.GradBuffer),
                v.Accumulates(), triangle: causal ? Triangle.UpperLeft : Triangle.None);
        }
    }

    private static Shape ResultShape(Node pattern, Node v)
    {
        var (p, x) = (pattern.Shape, v.Shape);
        if (p.Rank != 4 || x.Rank != 3 || p[0] != x[0] || p[2] != x[1] || p[3] != x[1] || x[2] % p[1] != 0)
        {
            throw new ArgumentException($"HeadMix: {pattern.Label} is {p} and {v.Label} is {x}; they must be (batch, head, position, position) and (batch, position, model), and the heads must divide the model width.");
        }

        return x;
    }
}
