using System.Collections.Immutable;
using System.Numerics.Tensors;

namespace GradScope;

/// <summary>What one node's backward added to the gradient of one of its inputs, and what that gradient was right afterwards.</summary>
/// <param name="Node">The index of the node whose backward ran.</param>
/// <param name="Input">The index of the input; a node that uses it twice (x·x) adds both parts at once.</param>
/// <param name="Norm">‖what was added‖.</param>
/// <param name="SumNorm">‖the input's gradient so far‖: with the last of its uses that is the whole gradient.</param>
/// <param name="Added">What was added, in the input's shape; null where only norms were recorded.</param>
/// <param name="Sum">The input's gradient so far; null where only norms were recorded.</param>
public sealed record Contribution(int Node, int Input, double Norm, double SumNorm, Tensor? Added, Tensor? Sum);

/// <summary>
/// Watches one backward pass and keeps what each step of it adds, for <see cref="Recorder.Capture(Tape, bool, BackwardWatch?)"/>:
/// <c>tape.Backward(loss, watch)</c>. It copies gradients that are put together from several parts, and only those.
/// </summary>
public sealed class BackwardWatch : ITapeVisitor
{
    private readonly List<Contribution> contributions = [];
    private readonly Dictionary<int, Tensor> sums = [];
    private int[]? uses;

    /// <inheritdoc/>
    public void AfterForward(Node node)
    {
    }

    /// <inheritdoc/>
    public void AfterBackward(Node node)
    {
        uses ??= CountUses(node.Tape);
        foreach (var input in node.InputArray.Distinct())
        {
            if (!input.RequiresGrad)
            {
                continue;
            }

            var norm = Norm(input.G);
            if (uses[input.Index] == 1)
            {
                contributions.Add(new(node.Index, input.Index, norm, norm, null, null));
                continue;
            }

            var sum = new Tensor(input.Shape, input.G);
            var added = sums.TryGetValue(input.Index, out var before) ? Difference(sum, before) : sum;
            sums[input.Index] = sum;
            contributions.Add(new(node.Index, input.Index, Norm(added.Values), norm, added, sum));
        }
    }

    /// <summary>What was watched, in backward order; a gradient of one part is the node's own, which <paramref name="nodes"/> hold.</summary>
    internal ImmutableArray<Contribution> Of(IReadOnlyList<NodeFrame> nodes) =>
    [
        .. contributions.Select(c => nodes[c.Input].Grad is { } whole
            ? c with { Added = c.Added ?? whole, Sum = c.Sum ?? whole }
            : c with { Added = null, Sum = null }),
    ];

    /// <summary>How many nodes that the loss depends on use each node.</summary>
    private static int[] CountUses(Tape tape)
    {
        var uses = new int[tape.Nodes.Count];
        foreach (var node in tape.Nodes.Where(tape.IsReached))
        {
            foreach (var input in node.InputArray.Distinct())
            {
                uses[input.Index]++;
            }
        }

        return uses;
    }

    private static Tensor Difference(Tensor after, Tensor before)
    {
        var added = new float[after.Length];
        TensorPrimitives.Subtract(after.Values, before.Values, added);
        return Tensor.Wrap(added, after.Shape);
    }

    private static double Norm(ReadOnlySpan<float> values) => Math.Sqrt(Reductions.SumOfSquares(values));
}
