using GradScope.Operations;

namespace GradScope;

/// <summary>Watches a tape at work: called after each node's step, which is how backpropagation is shown.</summary>
public interface ITapeVisitor
{
    /// <summary>The node's value has just been computed.</summary>
    void AfterForward(Node node);

    /// <summary>The node has just added to the gradients of its inputs.</summary>
    void AfterBackward(Node node);
}

/// <summary>
/// A recorded computation, a Wengert list: each word of arithmetic appends a <see cref="Node"/> and computes it at once. The
/// recorded order is the forward order; <see cref="Backward"/> reads the same list from the end. For other numbers of the
/// same shapes the tape is replayed: same nodes, same buffers, nothing allocated.
/// </summary>
public sealed class Tape
{
    private readonly List<Node> nodes = [];
    private readonly Arena arena = new();
    private readonly Dictionary<Parameter, Leaf> parameters = [];
    private readonly bool ownParameterGradients;
    private int laidOut;
    private bool[] reached = [];
    private Node? reachedFrom;
    private bool stale;

    /// <summary>A tape on which variables and parameters take gradients.</summary>
    public Tape()
        : this(gradients: true)
    {
    }

    /// <summary>A tape.</summary>
    /// <param name="gradients">Whether <see cref="Backward"/> may be called; without, the tape owns no gradient buffers.</param>
    /// <param name="ownParameterGradients">
    /// Whether parameters' gradients stay on this tape rather than in the model, where an optimiser would see them: for looking at
    /// a probe input between training steps.
    /// </param>
    public Tape(bool gradients, bool ownParameterGradients = false) =>
        (HasGradients, this.ownParameterGradients) = (gradients, ownParameterGradients);

    /// <summary>What is recorded, in forward order.</summary>
    public IReadOnlyList<Node> Nodes => nodes;

    /// <summary>Whether the gradients belong to the present values.</summary>
    public bool BackwardHasRun => Loss is not null;

    /// <summary>Where the last backward pass started; null where none has run for the present values.</summary>
    public Node? Loss { get; private set; }

    /// <summary>How often the tape has been replayed: which step the values are from, and the counter of its dropout masks.</summary>
    public long Replays { get; internal set; }

    /// <summary>Whether backward may be called.</summary>
    public bool HasGradients { get; }

    /// <summary>The node of that name.</summary>
    /// <exception cref="KeyNotFoundException">No node has the name.</exception>
    public Node this[string name] => nodes.Find(node => node.Name == name)
        ?? throw new KeyNotFoundException($"Tape: no node is named '{name}'. {nodes.Count(n => n.Name is not null)} of {nodes.Count} nodes have names; name one with node.As(\"…\").");

    /// <summary>Records an input whose gradient is wanted.</summary>
    public Leaf Variable(Tensor value, string? name = null) => AddLeaf(value, NodeKind.Variable, name);

    /// <summary>Records an input that takes no gradient.</summary>
    public Leaf Constant(Tensor value, string? name = null) => AddLeaf(value, NodeKind.Constant, name);

    /// <summary>The leaf that stands for a model's parameter on this tape; it shares the parameter's numbers.</summary>
    public Leaf Use(Parameter parameter)
    {
        if (!parameters.TryGetValue(parameter, out var leaf))
        {
            leaf = new Leaf(this, parameter.Shape, NodeKind.Parameter, HasGradients && !parameter.IsFrozen) { ValueBuffer = parameter.ValueBuffer };
            leaf.As(parameter.Name);
            if (!ownParameterGradients)
            {
                leaf.GradBuffer = parameter.GradBuffer;
            }

            Append(leaf);
            parameters.Add(parameter, leaf);
        }

        return leaf;
    }

    /// <summary>Computes every node anew, in order, from what the leaves hold now, and draws new dropout masks.</summary>
    public void Replay(ITapeVisitor? visitor = null)
    {
        Replays++;
        Forward(visitor);
    }

    /// <summary>
    /// Brings each node before <paramref name="loss"/> the gradient of the loss: clears all gradients, sets ∂loss/∂loss = 1 and
    /// walks the tape from the end, each node adding to its inputs' gradients.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The tape has no gradients, backward has run for these values, a leaf changed without <see cref="Replay"/>, or no variable
    /// leads to the loss.
    /// </exception>
    /// <exception cref="ArgumentException">The loss is of another tape or is not one number.</exception>
    /// <exception cref="ArithmeticException">The loss is NaN or infinite; the message names the first node where that appears.</exception>
    public void Backward(Node loss, ITapeVisitor? visitor = null)
    {
        FollowFreezing();
        Check(loss);
        LayOutGradients();
        FindReached(loss);
        Pass++;
        Clear(loss);
        loss.G[0] = 1;
        for (var i = loss.Index; i >= 0; i--)
        {
            if (reached[i])
            {
                if (!nodes[i].WritesWholeGradients)
                {
                    foreach (var input in nodes[i].InputArray)
                    {
                        Clear(input);
                    }
                }

                nodes[i].Backward();
                visitor?.AfterBackward(nodes[i]);
            }
        }

        // What does not lead to the loss has a gradient of 0.
        foreach (var node in nodes)
        {
            Clear(node);
        }

        foreach (var (parameter, leaf) in parameters)
        {
            parameter.HasGrad |= leaf.RequiresGrad && !ownParameterGradients;
        }

        Loss = loss;
    }

    /// <summary>Forgets the gradients, so that <see cref="Backward"/> may run again on the same values.</summary>
    public void ZeroGrad() => Loss = null;

    /// <summary>
    /// Compares each operation's backward with differences of its forward, and each leaf's gradient with differences of the loss.
    /// Backward runs again from the same loss; values and gradients are afterwards what they were.
    /// </summary>
    /// <param name="seed">The seed of the random directions.</param>
    /// <param name="sweep">Whether each row also gets <see cref="GradientCheckRow.Sweep"/>, the error at each step size.</param>
    /// <exception cref="InvalidOperationException">Backward has not run yet.</exception>
    public GradientCheck CheckGradients(ulong seed = 1, bool sweep = false) => GradientCheck.Of(this, seed, sweep);

    /// <summary>"Tape: 17 nodes …", in a line.</summary>
    public override string ToString() =>
        $"Tape of {nodes.Count} nodes ({nodes.Count(n => n.Kind == NodeKind.Operation)} operations), {(BackwardHasRun ? $"backward has run from {Loss!.Label}" : "backward has not run")}";

    /// <summary>Counts the backward passes.</summary>
    internal long Pass { get; private set; }

    internal T Record<T>(T node)
        where T : Node
    {
        if (stale)
        {
            throw new InvalidOperationException($"{node.Operation}: a leaf was set since the last forward pass; call tape.Replay() before recording more.");
        }

        node.ValueBuffer = arena.Allocate(node.Shape.ElementCount);
        Append(node);
        node.Forward();
        return node;
    }

    /// <summary>Computes every node anew without drawing new dropout masks.</summary>
    internal void Forward(ITapeVisitor? visitor = null)
    {
        Loss = null;
        stale = false;
        FollowFreezing();
        for (var i = 0; i < nodes.Count; i++)
        {
            nodes[i].Forward();
            visitor?.AfterForward(nodes[i]);
        }
    }

    /// <summary>Says that the values after a leaf no longer belong to it.</summary>
    internal void Invalidate()
    {
        Loss = null;
        stale = true;
    }

    internal bool IsReached(Node node) => reachedFrom is not null && node.Index <= reachedFrom.Index && reached[node.Index];

    private Leaf AddLeaf(Tensor value, NodeKind kind, string? name)
    {
        var leaf = new Leaf(this, value.Shape, kind, kind == NodeKind.Variable && HasGradients) { ValueBuffer = arena.Allocate(value.Length) };
        value.Values.CopyTo(leaf.V);
        Append(leaf);
        if (name is not null)
        {
            leaf.As(name);
        }

        return leaf;
    }

    private void Append(Node node)
    {
        node.Index = nodes.Count;
        nodes.Add(node);
    }

    private void Check(Node loss)
    {
        if (loss.Tape != this)
        {
            throw new ArgumentException($"Backward: {loss.Label} is on another tape; call Backward on its own.");
        }

        if (!HasGradients)
        {
            throw new InvalidOperationException("Backward: this tape was made without gradients; record on new Tape() instead.");
        }

        if (stale)
        {
            throw new InvalidOperationException("Backward: a leaf was set since the last forward pass; call tape.Replay() first.");
        }

        if (BackwardHasRun)
        {
            throw new InvalidOperationException(
                $"Backward: it has already run for these values, from {Loss!.Label}; call tape.Replay() after giving the leaves new numbers, or tape.ZeroGrad() to run it again on the same ones.");
        }

        if (loss.Shape.ElementCount != 1)
        {
            throw new ArgumentException($"Backward: {loss.Label} is {loss.Shape}, but backward starts from one number; take its Sum() or Mean(), or a loss such as CrossEntropy.");
        }

        if (!loss.RequiresGrad)
        {
            throw new InvalidOperationException(nodes.Exists(n => n.Kind == NodeKind.Parameter)
                ? $"Backward: every parameter that leads to {loss.Label} is frozen, so there is nothing to differentiate; let some learn with model.Unfreeze(\"…\")."
                : $"Backward: {loss.Label} is computed from constants alone, so there is nothing to differentiate; make an input with tape.Variable(…).");
        }

        if (!float.IsFinite(loss.V[0]))
        {
            throw new ArithmeticException(DescribeNonFinite(loss));
        }
    }

    private string DescribeNonFinite(Node loss)
    {
        var value = FormattableString.Invariant($"{loss.V[0]}");
        foreach (var node in nodes)
        {
            var values = node.V;
            for (var i = 0; i < values.Length; i++)
            {
                // A masked score is −∞ by design.
                if (!float.IsFinite(values[i]) && !(node is HeadScores && values[i] == float.NegativeInfinity))
                {
                    return FormattableString.Invariant($"Backward: the loss is {value}. The first node that is not finite is {node.Label} ({node.Operation}, {node.Shape}): element {i} is {values[i]}. Look at its inputs; a smaller learning rate or a clipped gradient keeps weights in range.");
                }
            }
        }

        return $"Backward: the loss {loss.Label} is {value}.";
    }

    /// <summary>Where parameters were frozen or let go since the last pass, decides anew which nodes take a gradient.</summary>
    private void FollowFreezing()
    {
        if (BackwardHasRun)
        {
            return;
        }

        var changed = false;
        foreach (var (parameter, leaf) in parameters)
        {
            var learns = HasGradients && !parameter.IsFrozen;
            changed |= leaf.RequiresGrad != learns;
            leaf.RequiresGrad = learns;
        }

        if (!changed)
        {
            return;
        }

        foreach (var node in nodes)
        {
            if (node.Kind == NodeKind.Operation)
            {
                node.RequiresGrad = Array.Exists(node.InputArray, input => input.RequiresGrad);
            }
        }

        (laidOut, reachedFrom) = (0, null);
    }

    private void LayOutGradients()
    {
        if (laidOut == nodes.Count)
        {
            return;
        }

        var length = 0;
        foreach (var node in nodes.Where(OwnsGradient))
        {
            Arena.Place(ref length, node.Shape.ElementCount);
        }

        var all = Arena.NewBuffer(length);
        var used = 0;
        foreach (var node in nodes.Where(OwnsGradient))
        {
            node.GradBuffer = new Buffer(all.Array, all.Offset + Arena.Place(ref used, node.Shape.ElementCount), node.Shape.ElementCount);
        }

        laidOut = nodes.Count;
    }

    private bool OwnsGradient(Node node) => node.RequiresGrad && (ownParameterGradients || node.Kind != NodeKind.Parameter);

    private void FindReached(Node loss)
    {
        if (reachedFrom == loss && reached.Length >= nodes.Count)
        {
            return;
        }

        reached = new bool[nodes.Count];
        reached[loss.Index] = true;
        for (var i = loss.Index; i >= 0; i--)
        {
            if (!reached[i])
            {
                continue;
            }

            foreach (var input in nodes[i].Inputs)
            {
                reached[input.Index] |= input.RequiresGrad;
            }
        }

        reachedFrom = loss;
    }

    /// <summary>Sets a node's gradient to 0, unless this pass has written to it.</summary>
    private static void Clear(Node node)
    {
        if (node.RequiresGrad && !node.Accumulates())
        {
            node.GradBuffer.Padded.Clear();
        }
    }
}
