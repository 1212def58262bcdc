namespace GradScope.Operations;

/// <summary>
/// Attention scores of all heads: s[b, h, i, j] = Σ_c q[b, i, h·d + c] · k[b, j, h·d + c] / √d, where d is the head's width. q and
/// k are (batch, position, model); head h reads its own d columns in place. Causal: s is −∞ for j &gt; i (a key after its query).
/// ∂q += ∂s·k / √d, ∂k += ∂sᵀ·q / √d.
/// </summary>
internal sealed class HeadScores : Node
{
    private readonly Node q;
    private readonly Node k;
    private readonly Heads heads;
    private readonly bool causal;

    public HeadScores(Node q, Node k, int headCount, bool causal)
        : base(q.Tape, ResultShape(q, k, headCount), q, k)
    {
        (this.q, this.k, this.causal) = (q, k, causal);
        heads = new(q.Shape, headCount);
    }

    public override string Formula => $"{q.Label} · {k.Label}ᵀ / √{heads.Width}" + (causal ? ", keys ≤ query" : "");

    public override IReadOnlyList<string> BackwardRule => [$"G · {k.Label} / √{heads.Width}", $"Gᵀ · {q.Label} / √{heads.Width}"];

    private protected override string OperationName => "HeadScores";

    private float Scale => 1 / MathF.Sqrt(heads.Width);

    internal override bool WritesWholeGradients => true;

    internal override void Forward() => MatrixProduct.Multiply(
        heads.Columns(q.ValueBuffer), heads.Columns(k.ValueBuffer).Transposed, heads.Maps(ValueBuffer),
        accumulate: false, Scale, causal ? Triangle.LowerResult : Triangle.None, masked: float.NegativeInfinity);

    internal override void Backward()
    {
        if (q.RequiresGrad)
        {
            MatrixProduct.Multiply(
                heads.Maps(GradBuffer), heads.Columns(k.ValueBuffer), heads.Columns(q.GradBuffer),
                q.Accumulates(), Scale, causal ? Triangle.LowerLeft : Triangle.None);
        }

        if (k.RequiresGrad)
        {
            MatrixProduct.Multiply(
                heads.Maps(GradBuffer).Transposed, heads.Columns(q.ValueBuffer), heads.Columns(k.GradBuffer),
                k.Accumulates(), Scale, causal ? Triangle.UpperLeft : Triangle.None);
        }
    }

    private static Shape ResultShape(Node q, Node k, int headCount)
    {
        if (q.Shape.Rank != 3 || q.Shape != k.Shape || headCount < 1 || q.Shape[2] % headCount != 0)
        {
            throw new ArgumentException($"HeadScores: {q.Label} is {q.Shape} and {k.Label} is {k.Shape} with {headCount} heads; both must be the same (batch, position, model) and the heads must divide the model width.");
        }

        return [q.Shape[0], headCount, q.Shape[1], q.Shape[1]];
    }
}

/// <summary>How heads lie in a (batch, position, model) buffer, and their (query, key) maps in a (batch, head, query, key) one.</summary>
internal readonly struct Heads(Shape shape, int count)
{
    private readonly int batch = shape[0];
    private readonly int length = shape[1];
    private readonly int model = shape[2];

    public int Width => model / count;

    /// <summary>Each head's (position, width) matrix, in place.</summary>
    public Matrix Columns(Buffer buffer) =>
        new(buffer.Array, buffer.Offset, length, Width, model, 1, batch, length * model, count, Width);

    /// <summary>Each head's (query, key) matrix.</summary>
    public Matrix Maps(Buffer buffer) =>
        new(buffer.Array, buffer.Offset, length, length, length, 1, batch, count * length * length, count, length * length);
}
