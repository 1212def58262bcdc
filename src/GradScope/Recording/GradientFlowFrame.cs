using System.Collections.Immutable;

namespace GradScope;

/// <summary>A place on the residual stream and the gradient that arrives there.</summary>
/// <param name="Name">The node's path, such as blocks.0.resid_mid.</param>
/// <param name="ValueNorm">‖x‖.</param>
/// <param name="GradNorm">‖∂loss/∂x‖; null where backward has not run.</param>
public sealed record Station(string Name, double ValueNorm, double? GradNorm);

/// <summary>One branch of the residual stream (an attention or an MLP), which reads the stream and adds to it.</summary>
/// <param name="Path">Its path, such as blocks.0.attn.</param>
/// <param name="Block">The block, from 0.</param>
/// <param name="IsAttention">Attention, or else MLP.</param>
/// <param name="OutputGradNorm">‖∂loss/∂(branch output)‖: at ⊕ the gradient is copied to the branch and to the skip.</param>
/// <param name="BranchGradNorm">‖the part of ∂loss/∂x that came back through the branch‖, at the place where it reads the stream.</param>
/// <param name="BranchShare">
/// ⟨g_branch, g⟩ / ‖g‖²: the branch's projection on the whole gradient g at that place. With <see cref="SkipShare"/> it sums
/// to 1; negative means that the path works against the whole.
/// </param>
/// <param name="Parameters">The branch's parameters (its norm's included) with their gradient norms.</param>
public sealed record Branch(
    string Path,
    int Block,
    bool IsAttention,
    double? OutputGradNorm,
    double? BranchGradNorm,
    double? BranchShare,
    ImmutableArray<ParameterFrame> Parameters)
{
    /// <summary>⟨g_skip, g⟩ / ‖g‖², the skip connection's part.</summary>
    public double? SkipShare => 1 - BranchShare;
}

/// <summary>How the gradient travels from the loss back along the residual stream, and what each branch adds to it.</summary>
/// <param name="Step">How many updates the model had had.</param>
/// <param name="Model">The model.</param>
/// <param name="Loss">The loss of this input, in nats.</param>
/// <param name="Tokens">The input's tokens.</param>
/// <param name="BackwardHasRun">Whether gradients are there.</param>
/// <param name="Stations">From the embedding to the last block's output: block's input, middle, …, output.</param>
/// <param name="Branches">In forward order; branch i leads from station i to station i + 1.</param>
/// <param name="Ends">The parameters of embeddings, final norm and unembedding.</param>
/// <param name="Attention">Each layer's attention, with its gradient.</param>
public sealed record GradientFlowFrame(
    int Step,
    ModelFrame Model,
    double Loss,
    ImmutableArray<string> Tokens,
    bool BackwardHasRun,
    ImmutableArray<Station> Stations,
    ImmutableArray<Branch> Branches,
    ImmutableArray<ParameterFrame> Ends,
    AttentionFrame Attention)
{
    internal static GradientFlowFrame From(Frame frame)
    {
        var tape = frame.Tape;
        var config = frame.Model.Config;
        var stations = ImmutableArray.CreateBuilder<Station>();
        var branches = ImmutableArray.CreateBuilder<Branch>();
        Stop("blocks.0.resid_pre");
        for (var b = 0; b < config.LayerCount; b++)
        {
            // A block's input is the node of the block before's output.
            Walk(b, "attn", "ln1", b == 0 ? "blocks.0.resid_pre" : $"blocks.{b - 1}.resid_post", $"blocks.{b}.attn.out", config.HasMlp ? $"blocks.{b}.resid_mid" : $"blocks.{b}.resid_post");
            if (config.HasMlp)
            {
                Walk(b, "mlp", "ln2", $"blocks.{b}.resid_mid", $"blocks.{b}.mlp.out", $"blocks.{b}.resid_post");
            }
        }

        var inBranches = branches.SelectMany(b => b.Parameters).Select(p => p.Name).ToHashSet();
        return new(
            frame.Step, frame.Model, frame.Loss, frame.Tokens, tape.BackwardHasRun,
            stations.ToImmutable(), branches.ToImmutable(),
            [.. frame.Model.Parameters.Where(p => !inBranches.Contains(p.Name))],
            frame.Attention());

        void Stop(string name) => stations.Add(new(name, tape[name].ValueNorm, tape[name].GradNorm));

        void Walk(int block, string kind, string norm, string input, string output, string next)
        {
            // The sum x + branch(x) hands its own gradient, unchanged, to the skip: what else arrives at x came through the branch.
            var x = tape[input];
            var sum = tape.Nodes.First(n => n.Operation == "Add" && n.Inputs.Length == 2 && n.Inputs[0] == x.Index && n.Inputs[1] == tape[output].Index);
            double? share = null, branchNorm = null;
            if (x.Grad is { } g && sum.Grad is { } skip)
            {
                var all = g.Dot(g);
                share = all == 0 ? null : 1 - skip.Dot(g) / all;
                branchNorm = Math.Sqrt(Math.Max(0, all - 2 * skip.Dot(g) + skip.Dot(skip)));
            }

            Stop(next);
            branches.Add(new(
                $"blocks.{block}.{kind}", block, kind == "attn", tape[output].GradNorm, branchNorm, share,
                [.. frame.Model.Parameters.Where(p => p.Name.StartsWith($"blocks.{block}.{kind}.", StringComparison.Ordinal)
                    || p.Name.StartsWith($"blocks.{block}.{norm}.", StringComparison.Ordinal))]));
        }
    }
}
