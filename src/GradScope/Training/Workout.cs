namespace GradScope;

/// <summary>A recorded forward pass with its loss, for one shape of batch, to be replayed with other tokens.</summary>
internal sealed class Workout
{
    private readonly Leaf tokens;
    private readonly Leaf targets;
    private readonly int[] tokenIds;
    private readonly int[] targetIds;

    public Workout(MiniTransformer model, Tape tape, int[] tokenIds, int[] targetIds, int length, bool training)
    {
        (Tape, this.tokenIds, this.targetIds, Length) = (tape, tokenIds, targetIds, length);
        var shape = new Shape(tokenIds.Length / length, length);
        tokens = tape.Constant(Tensor.Zeros(shape), "tokens");
        targets = tape.Constant(Tensor.Zeros(shape), "targets");
        tokens.Write(tokenIds);
        targets.Write(targetIds);
        Loss = (Operations.CrossEntropy)model.Forward(tape, tokens, training).CrossEntropy(targets).As("loss");
    }

    public Tape Tape { get; }

    public Operations.CrossEntropy Loss { get; }

    public int Length { get; }

    public int Count => tokenIds.Length / Length;

    public Span<int> Tokens(int sequence) => tokenIds.AsSpan(sequence * Length, Length);

    public Span<int> Targets(int sequence) => targetIds.AsSpan(sequence * Length, Length);

    /// <summary>Computes everything anew from the token and target ids.</summary>
    public void Replay()
    {
        tokens.Set((ReadOnlySpan<int>)tokenIds);
        targets.Set((ReadOnlySpan<int>)targetIds);
        Tape.Replay();
    }
}
