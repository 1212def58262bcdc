namespace GradScope.Operations;

/// <summary>
/// y = x · m / (1 − p), where m is 0 with probability p and else 1 (Srivastava et al. 2014); ∂x += ∂y · m / (1 − p). The mask is a
/// function of seed, node, replay and element, so that a run repeats exactly; each replay of the tape draws another.
/// </summary>
internal sealed class Dropout : Node
{
    private readonly Node x;
    private readonly float probability;
    private readonly ulong seed;

    public Dropout(Node x, float probability, ulong seed)
        : base(x.Tape, x.Shape, x)
    {
        (this.x, this.probability, this.seed) = (x, probability, seed);
        if (probability is not (>= 0 and < 1))
        {
            throw new ArgumentException(FormattableString.Invariant($"Dropout: the probability {probability} is not in the range 0 to below 1."));
        }
    }

    public override string Formula => FormattableString.Invariant($"{x.Label} · mask / {1 - probability}");

    public override IReadOnlyList<string> BackwardRule => [FormattableString.Invariant($"G · mask / {1 - probability}")];

    private protected override string OperationName => "Dropout";

    internal override void Forward()
    {
        var xs = x.V;
        var ys = V;
        var key = Key;
        var scale = 1 / (1 - probability);
        for (var i = 0; i < ys.Length; i++)
        {
            ys[i] = Keeps(key, i) ? xs[i] * scale : 0;
        }
    }

    internal override void Backward()
    {
        var gradient = G;
        var target = x.G;
        var key = Key;
        var scale = 1 / (1 - probability);
        for (var i = 0; i < target.Length; i++)
        {
            target[i] += Keeps(key, i) ? gradient[i] * scale : 0;
        }
    }

    private ulong Key => RandomStream.Mix(seed + RandomStream.Mix(((ulong)Index << 40) ^ (ulong)Tape.Replays));

    private bool Keeps(ulong key, int i) => (RandomStream.Mix(key + (ulong)i * 0x9E3779B97F4A7C15) >> 40) * (1f / (1 << 24)) >= probability;
}
