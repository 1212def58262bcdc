using System.Globalization;

namespace GradScope;

/// <summary>A node that is given rather than computed: a constant, a variable, or a model's parameter.</summary>
public sealed class Leaf : Node
{
    internal Leaf(Tape tape, Shape shape, NodeKind kind, bool requiresGrad)
        : base(tape, shape)
    {
        Kind = kind;
        RequiresGrad = requiresGrad;
    }

    /// <inheritdoc/>
    public override NodeKind Kind { get; }

    /// <inheritdoc/>
    public override string Formula => "";

    /// <inheritdoc/>
    public override IReadOnlyList<string> BackwardRule => [];

    /// <inheritdoc/>
    public override string Label => Name is null && Kind == NodeKind.Constant && Shape.ElementCount == 1
        ? V[0].ToString("G4", CultureInfo.InvariantCulture)
        : base.Label;

    private protected override string OperationName => Kind.ToString();

    /// <summary>Gives the leaf other numbers; <see cref="Tape.Replay"/> then computes everything after it anew.</summary>
    /// <exception cref="ArgumentException">The number of values is not the shape's length.</exception>
    public void Set(params ReadOnlySpan<float> values)
    {
        CheckLength(values.Length);
        values.CopyTo(V);
        Tape.Invalidate();
    }

    /// <summary>Gives the leaf whole numbers, such as token ids.</summary>
    /// <exception cref="ArgumentException">The number of values is not the shape's length.</exception>
    public void Set(ReadOnlySpan<int> values)
    {
        Write(values);
        Tape.Invalidate();
    }

    internal void Write(ReadOnlySpan<int> values)
    {
        CheckLength(values.Length);
        var target = V;
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = values[i];
        }
    }

    internal override void Forward()
    {
    }

    internal override void Backward()
    {
    }

    private void CheckLength(int length)
    {
        if (length != Shape.ElementCount)
        {
            throw new ArgumentException($"Set: {length} values were given to {Label}, which is {Shape} and holds {Shape.ElementCount}.");
        }
    }
}
