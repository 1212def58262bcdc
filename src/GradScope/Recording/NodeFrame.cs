using System.Collections.Immutable;

namespace GradScope;

/// <summary>What stands at a place of the tape.</summary>
public enum NodeKind
{
    /// <summary>A number that is given and needs no gradient (a literal, token ids, a mask).</summary>
    Constant,

    /// <summary>An input whose gradient is asked for.</summary>
    Variable,

    /// <summary>A weight of a model.</summary>
    Parameter,

    /// <summary>Computed from earlier nodes.</summary>
    Operation,
}

/// <summary>One entry of a tape as it was at one moment.</summary>
/// <param name="Index">Its place on the tape, from 0.</param>
/// <param name="Name">Its path, such as blocks.0.attn.pattern, or null where nobody named it.</param>
/// <param name="Kind">Leaf or operation.</param>
/// <param name="Operation">The operation's name, such as MatMul; for a leaf its kind.</param>
/// <param name="Formula">The formula with its inputs' names, such as "a · b"; for a leaf empty.</param>
/// <param name="BackwardRule">What backward adds to each input's gradient, one entry an input; for a leaf empty.</param>
/// <param name="Inputs">The indices of its inputs on the tape.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="RequiresGrad">Whether a gradient reaches it in backward.</param>
/// <param name="ValueNorm">‖value‖, summed in double.</param>
/// <param name="GradNorm">‖∂loss/∂value‖; null where backward has not run, or the node takes no gradient.</param>
/// <param name="Value">The value; null where only norms were recorded.</param>
/// <param name="Grad">∂loss/∂value; null where backward has not run, the node takes no gradient, or only norms were recorded.</param>
public sealed record NodeFrame(
    int Index,
    string? Name,
    NodeKind Kind,
    string Operation,
    string Formula,
    ImmutableArray<string> BackwardRule,
    ImmutableArray<int> Inputs,
    Shape Shape,
    bool RequiresGrad,
    double ValueNorm,
    double? GradNorm,
    Tensor? Value,
    Tensor? Grad)
{
    /// <summary>Whether it is a parameter that does not learn, so that backward computes no gradient for it.</summary>
    public bool IsFrozen { get; init; }

    /// <summary>The name, or v and the index where there is none.</summary>
    public string Label => Name ?? $"v{Index}";
}

/// <summary>A tape as it was at one moment: what the tape figure and the backprop player draw.</summary>
/// <param name="Nodes">In the recorded order, which is the forward order; backward runs from <paramref name="Loss"/> to the start.</param>
/// <param name="Loss">The index of the node that backward started from; null where it has not run.</param>
public sealed record TapeFrame(ImmutableArray<NodeFrame> Nodes, int? Loss)
{
    /// <summary>What each step of the backward pass added to which gradient, in backward order; empty where nobody watched it.</summary>
    public ImmutableArray<Contribution> Contributions { get; init; } = [];

    /// <summary>The input's tokens as text, one a position; empty where nobody told them.</summary>
    public ImmutableArray<string> Tokens { get; init; } = [];

    /// <summary>Whether the gradients are there.</summary>
    public bool BackwardHasRun => Loss is not null;

    /// <summary>The node of that name.</summary>
    /// <exception cref="KeyNotFoundException">No node has the name.</exception>
    public NodeFrame this[string name] => Find(name)
        ?? throw new KeyNotFoundException($"TapeFrame: no node is named '{name}'; the names are {string.Join(", ", Nodes.Where(n => n.Name is not null).Select(n => n.Name))}.");

    /// <summary>The node of that name, or null.</summary>
    public NodeFrame? Find(string name)
    {
        foreach (var node in Nodes)
        {
            if (node.Name == name)
            {
                return node;
            }
        }

        return null;
    }
}
