namespace GradScope.Operations;

/// <summary>y = xᵖ, element by element, p a number; ∂x += ∂y · p·xᵖ⁻¹.</summary>
internal sealed class Pow(Node x, float exponent) : Node(x.Tape, x.Shape, x)
{
    public override string Formula => FormattableString.Invariant($"{x.Label}^{exponent}");

    public override IReadOnlyList<string> BackwardRule => [FormattableString.Invariant($"G · {exponent}·{x.Label}^{exponent - 1}")];

    private protected override string OperationName => "Pow";

    internal override bool HasPoleAtZero(Node input) => exponent < 1 || exponent != MathF.Truncate(exponent);

    internal override void Forward()
    {
        var xs = x.V;
        var ys = V;
        for (var i = 0; i < ys.Length; i++)
        {
            ys[i] = MathF.Pow(xs[i], exponent);
        }
    }

    internal override void Backward()
    {
        var xs = x.V;
        var gradient = G;
        var target = x.G;
        for (var i = 0; i < target.Length; i++)
        {
            target[i] += gradient[i] * exponent * MathF.Pow(xs[i], exponent - 1);
        }
    }
}
