using System.Collections.Immutable;

namespace GradScope;

/// <summary>Copies what is asked for from a live tape or model into immutable frames; nothing else reads one.</summary>
public static class Recorder
{
    /// <summary>The tape as it is now.</summary>
    /// <param name="tape">A tape, before or after its backward pass.</param>
    /// <param name="parameterTensors">Whether parameters' numbers are copied too, or only their norms (they are most of a model's memory).</param>
    /// <param name="watch">What watched its last backward pass; null where nobody did.</param>
    public static TapeFrame Capture(Tape tape, bool parameterTensors = true, BackwardWatch? watch = null) =>
        Capture(tape, parameterTensors, watch, (shape, values) => new(shape, values));

    /// <summary>The same, with all tensors in one array, for a frame that is kept or dropped as a whole: it is laid out once and never moved, where the collector would copy each tensor twice.</summary>
    internal static TapeFrame CaptureWhole(Tape tape, bool parameterTensors)
    {
        var all = GC.AllocateUninitializedArray<float>(tape.Nodes.Sum(n => (parameterTensors || n.Kind != NodeKind.Parameter ? n.Shape.ElementCount : 0) * (HasGrad(n) ? 2 : 1)));
        var used = 0;
        return Capture(tape, parameterTensors, watch: null, (shape, values) =>
        {
            var part = all.AsMemory(used, values.Length);
            used += values.Length;
            values.CopyTo(part.Span);
            return Tensor.Wrap(part, shape);
        });
    }

    private delegate Tensor Copy(Shape shape, ReadOnlySpan<float> values);

    private static TapeFrame Capture(Tape tape, bool parameterTensors, BackwardWatch? watch, Copy copy)
    {
        var nodes = ImmutableArray.CreateBuilder<NodeFrame>(tape.Nodes.Count);
        foreach (var node in tape.Nodes)
        {
            var hasGrad = HasGrad(node);
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
                tensors ? copy(node.Shape, node.V) : null,
                tensors && hasGrad ? copy(node.Shape, node.G) : null)
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

    private static bool HasGrad(Node node) => node.Tape.BackwardHasRun && node.RequiresGrad;

    private static double Norm(ReadOnlySpan<float> values) => Math.Sqrt(Reductions.SumOfSquares(values));
}
