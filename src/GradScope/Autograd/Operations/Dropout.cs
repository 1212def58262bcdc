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

    internal override bool WritesWholeGradients => true;

    internal override void Forward() => Run(new(this, x.ValueBuffer, ValueBuffer, accumulate: false));

    internal override void Backward() => Run(new(this, GradBuffer, x.GradBuffer, x.Accumulates()));

    /// <summary>A draw takes some 3 ns.</summary>
    private void Run(Pass pass) => Workers.For(ref pass, ValueBuffer.Blocks, 3L * Shape.ElementCount);

    private ulong Key => RandomStream.Mix(seed + RandomStream.Mix(((ulong)Index << 40) ^ (ulong)Tape.Replays));

    private bool Keeps(ulong key, int i) => (RandomStream.Mix(key + (ulong)i * 0x9E3779B97F4A7C15) >> 40) * (1f / (1 << 24)) >= probability;

    /// <summary>Keeps or drops each element on its way, forward or back.</summary>
    private readonly struct Pass(Dropout node, Buffer source, Buffer target, bool accumulate) : IJob
    {
        public void Run(int from, int to)
        {
            var (first, end) = (from * Buffer.Block, Math.Min(to * Buffer.Block, target.Length));
            var x = source.Span;
            var y = target.Span;
            var key = node.Key;
            var scale = 1 / (1 - node.probability);
            for (var i = first; i < end; i++)
            {
                var kept = node.Keeps(key, i) ? x[i] * scale : 0;
                y[i] = accumulate ? y[i] + kept : kept;
            }
        }
    }
}
