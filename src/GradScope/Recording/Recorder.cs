using System.Collections.Immutable;

namespace GradScope;

/// <summary>Copies what is asked for from a live tape or model into immutable frames; nothing else reads one.</summary>
public static class Recorder
{
    /// <summary>The tape as it is now.</summary>
    /// <param name="tape">A tape, before or after its backward pass.</param>
    /// <param name="parameterTensors">Whether parameters' numbers are copied too, or only their norms (they are most of a model's memory).</param>
    /// <param name="watch">What watched its last backward pass; null where nobody did.</param>
    public static TapeFrame Capture(Tape tape, bool parameterTensors = true, BackwardWatch? watch = null)
    {
        var nodes = ImmutableArray.CreateBuilder<NodeFrame>(tape.Nodes.Count);
        foreach (var node in tape.Nodes)
        {
            var hasGrad = tape.BackwardHasRun && node.RequiresGrad;
            var tensors = parameterTensors || node.Kind != NodeKind.Parameter;
            nodes.Add(new(
                node.Index,
                node.Name,
                node.Kind,
                node.Operation,
                node.Formula,
                [.. node.BackwardRule],
                [.. node.Inputs.Select(i => i.Index)],
                node.Shape,
                node.RequiresGrad,
                Math.Sqrt(Reductions.SumOfUnmaskedSquares(node.V)),
                hasGrad ? Norm(node.G) : null,
                tensors ? node.Value : null,
                tensors && hasGrad ? node.Grad : null)
            {
                IsFrozen = node.Kind == NodeKind.Parameter && tape.HasGradients && !node.RequiresGrad,
            });
        }

        var frames = nodes.MoveToImmutable();
        return new(frames, tape.Loss?.Index) { Contributions = watch is not null && tape.BackwardHasRun ? watch.Of(frames) : [] };
    }

    /// <summary>The model's architecture and its parameters' norms, with the gradients' of the last training backward pass.</summary>
    public static ModelFrame Capture(MiniTransformer model) => new(model.Config, Capture(model.Parameters));

    /// <summary>Parameters' norms, with the gradients' of the last training backward pass.</summary>
    public static ImmutableArray<ParameterFrame> Capture(IEnumerable<Parameter> parameters) =>
        [.. parameters.Select(p => new ParameterFrame(
            p.Name, p.Shape, Norm(p.ValueBuffer.Span), p.HasGrad ? Norm(p.GradBuffer.Span) : null) { IsFrozen = p.IsFrozen })];

    /// <summary>The model with the gradient norms that a tape of its own holds.</summary>
    internal static ModelFrame Capture(MiniTransformer model, TapeFrame tape) => new(
        model.Config,
        [.. model.Parameters.Select(p =>
        {
            var node = tape.Find(p.Name);
            return new ParameterFrame(p.Name, p.Shape, node?.ValueNorm ?? Norm(p.ValueBuffer.Span), node?.GradNorm) { IsFrozen = p.IsFrozen };
        })]);

    private static double Norm(ReadOnlySpan<float> values) => Math.Sqrt(Reductions.SumOfSquares(values));
}
