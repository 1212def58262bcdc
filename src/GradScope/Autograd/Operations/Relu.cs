using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace GradScope.Operations;

/// <summary>y = max(0, x), element by element: a gate that is open where x &gt; 0; ∂x += ∂y · [x &gt; 0]. NaN stays NaN.</summary>
internal sealed class Relu(Node x) : Node(x.Tape, x.Shape, x)
{
    private float[]? held;

    public override string Formula => $"max(0, {x.Label})";

    public override IReadOnlyList<string> BackwardRule => [$"G · [{x.Label} > 0]"];

    private protected override string OperationName => "Relu";

    /// <summary>What decides whether a gate is open: the input, or the one at which the gates are held.</summary>
    private Span<Vector512<float>> Gate => MemoryMarshal.Cast<float, Vector512<float>>(held ?? x.ValueBuffer.Padded);

    internal override void HoldGates(bool hold) => held = hold ? x.ValueBuffer.Padded.ToArray() : null;

    internal override void Forward()
    {
        var source = MemoryMarshal.Cast<float, Vector512<float>>(x.ValueBuffer.Padded);
        var target = MemoryMarshal.Cast<float, Vector512<float>>(ValueBuffer.Padded);
        var gate = Gate;
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = Vector512.ConditionalSelect(Vector512.LessThanOrEqual(gate[i], Vector512<float>.Zero), Vector512<float>.Zero, source[i]);
        }
    }

    internal override void Backward()
    {
        var gradient = MemoryMarshal.Cast<float, Vector512<float>>(GradBuffer.Padded);
        var target = MemoryMarshal.Cast<float, Vector512<float>>(x.GradBuffer.Padded);
        var gate = Gate;
        for (var i = 0; i < target.Length; i++)
        {
            target[i] += Vector512.ConditionalSelect(Vector512.GreaterThan(gate[i], Vector512<float>.Zero), gradient[i], Vector512<float>.Zero);
        }
    }
}
