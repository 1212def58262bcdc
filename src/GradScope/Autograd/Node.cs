namespace GradScope;

/// <summary>
/// One step of a recorded computation: an input, a parameter or an operation's result, with its value and, after
/// <see cref="Tape.Backward"/>, the gradient of the loss by it. Ordinary arithmetic on nodes records further nodes on the
/// same <see cref="Tape"/>; its methods are the words.
/// </summary>
public abstract partial class Node
{
    private protected Node(Tape tape, Shape shape, params ReadOnlySpan<Node> inputs)
    {
        foreach (var input in inputs)
        {
            if (input.Tape != tape)
            {
                throw new ArgumentException(
                    $"{OperationName}: its inputs {inputs[0].Label} and {input.Label} are on two tapes; record both on one.");
            }

            RequiresGrad |= input.RequiresGrad;
        }

        (Tape, Shape, InputArray) = (tape, shape, inputs.ToArray());
    }

    /// <summary>The tape it is recorded on.</summary>
    public Tape Tape { get; }

    /// <summary>Its place on the tape, from 0: the order of the forward pass.</summary>
    public int Index { get; internal set; } = -1;

    /// <summary>Its path, such as blocks.0.attn.pattern; null until somebody names it.</summary>
    public string? Name { get; private set; }

    /// <summary>The sizes of its value and its gradient.</summary>
    public Shape Shape { get; }

    /// <summary>The nodes it is computed from; none for a leaf.</summary>
    public IReadOnlyList<Node> Inputs => InputArray;

    /// <summary>Whether a parameter or variable stands somewhere before it, so that backward brings it a gradient.</summary>
    public bool RequiresGrad { get; internal set; }

    /// <summary>What stands here: a constant, a variable, a parameter or an operation.</summary>
    public virtual NodeKind Kind => NodeKind.Operation;

    /// <summary>The operation's name, such as MatMul.</summary>
    public string Operation => OperationName;

    /// <summary>The formula with its inputs' labels, such as "a · b"; empty for a leaf.</summary>
    public abstract string Formula { get; }

    /// <summary>What backward adds to the gradient of each input, in the order of <see cref="Inputs"/>; G stands for this node's gradient.</summary>
    public abstract IReadOnlyList<string> BackwardRule { get; }

    /// <summary>The name; a number where it is an unnamed constant; else v and the index.</summary>
    public virtual string Label => Name ?? $"v{Index}";

    /// <summary>A copy of the value as the last forward pass left it.</summary>
    public Tensor Value => new(Shape, ValueBuffer.Span);

    /// <summary>A copy of ∂loss/∂value as the last backward pass left it.</summary>
    /// <exception cref="InvalidOperationException">Backward has not run for the present values, or the node takes no gradient.</exception>
    public Tensor Grad => Kind == NodeKind.Parameter && Tape.HasGradients && !RequiresGrad
        ? throw new InvalidOperationException($"Grad: {Label} is frozen, so backward computes no gradient for it; call model.Unfreeze(\"{Label}\") and tape.Replay() first.")
        : !RequiresGrad
        ? throw new InvalidOperationException($"Grad: {Label} is computed from constants alone and takes no gradient; make an input with tape.Variable(…) to get one.")
        : !Tape.BackwardHasRun
            ? throw new InvalidOperationException($"Grad: backward has not run for the present values, so {Label} has no gradient yet; call tape.Backward(loss) first.")
            : new(Shape, GradBuffer.Span);

    private protected abstract string OperationName { get; }

    internal Node[] InputArray { get; }

    /// <summary>The backward pass of its tape that wrote to the gradient last; before it the numbers are an earlier pass's.</summary>
    internal long WrittenIn { get; set; }

    /// <summary>
    /// Whether <see cref="Backward"/> asks each input that takes a gradient whether it <see cref="Accumulates"/>, and where not
    /// writes the whole of it. Otherwise the tape sets the inputs' gradients to 0 beforehand.
    /// </summary>
    internal virtual bool WritesWholeGradients => false;

    internal Buffer ValueBuffer { get; set; }

    internal Buffer GradBuffer { get; set; }

    /// <summary>The elements of the value, in place.</summary>
    internal Span<float> V => ValueBuffer.Span;

    /// <summary>The elements of the gradient, in place.</summary>
    internal Span<float> G => GradBuffer.Span;

    /// <summary>Names the node, for figures and look-ups; the same node is returned, so that a name can end a line.</summary>
    public Node As(string name)
    {
        Name = name;
        return this;
    }

    /// <summary>
    /// Whether this backward pass has written to the gradient already, so that more is to be added to it; the first addition
    /// overwrites what is there instead, which saves clearing and reading it. The answer is true from the second call on.
    /// </summary>
    internal bool Accumulates()
    {
        var accumulates = WrittenIn == Tape.Pass;
        WrittenIn = Tape.Pass;
        return accumulates;
    }

    /// <summary>Computes the value from the inputs' values.</summary>
    internal abstract void Forward();

    /// <summary>Adds to the gradients of those inputs that require one what this node's gradient makes of it.</summary>
    internal abstract void Backward();

    /// <summary>Whether the operation has a pole or ends at 0 of this input, which a gradient check must not step over.</summary>
    internal virtual bool HasPoleAtZero(Node input) => false;

    /// <summary>Makes an operation with gates keep them as they are now, or let them go again: a gradient check has no derivative across a kink.</summary>
    internal virtual void HoldGates(bool hold)
    {
    }

    /// <summary>For a node of one element its number, else its label, operation and shape.</summary>
    public override string ToString() => Shape.ElementCount == 1
        ? FormattableString.Invariant($"{Label} = {V[0]:G7}")
        : $"{Label} = {(Formula.Length > 0 ? Formula : OperationName)} {Shape}";
}
