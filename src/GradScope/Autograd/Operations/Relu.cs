using System.Runtime.CompilerServices;

namespace GradScope.Operations;

/// <summary>y = max(0, x), element by element: a gate that is open where x &gt; 0; ∂x += ∂y · [x &gt; 0]. NaN stays NaN.</summary>
internal sealed class Relu(Node x) : Node(x.Tape, x.Shape, x)
{
    private readonly Node x = x;
    private float[]? held;

    public override string Formula => $"max(0, {x.Label})";

    public override IReadOnlyList<string> BackwardRule => [$"G · [{x.Label} > 0]"];

    private protected override string OperationName => "Relu";

    /// <summary>What decides whether a gate is open: the input, or the one at which the gates are held.</summary>
    private Span<float> Gate => held ?? x.ValueBuffer.Padded;

    internal override void HoldGates(bool hold) => held = hold ? x.ValueBuffer.Padded.ToArray() : null;

    internal override bool WritesWholeGradients => true;

    internal override void Forward() => Lanes.For(new ForwardRange(this), ValueBuffer.Blocks, Shape.ElementCount / 4);

    internal override void Backward() => Lanes.For(new BackwardRange(this, x.Accumulates()), ValueBuffer.Blocks, Shape.ElementCount / 4);

    private readonly unsafe struct ForwardRange(Relu node) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            fixed (float* xs = node.x.ValueBuffer.Padded, ys = node.ValueBuffer.Padded, gates = node.Gate)
            {
                for (var i = from * Buffer.Block; i < to * Buffer.Block; i += TLanes.Width)
                {
                    // Less than the least positive number is 0 or less; NaN is neither, and passes.
                    var closed = TLanes.Less(TLanes.Load(gates + i), float.Epsilon);
                    TLanes.Select(closed, default, TLanes.Load(xs + i)).Store(ys + i);
                }
            }
        }
    }

    private readonly unsafe struct BackwardRange(Relu node, bool accumulate) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            fixed (float* gradient = node.GradBuffer.Padded, target = node.x.GradBuffer.Padded, gates = node.Gate)
            {
                for (var i = from * Buffer.Block; i < to * Buffer.Block; i += TLanes.Width)
                {
                    var change = TLanes.Load(gradient + i) & TLanes.Less(default, TLanes.Load(gates + i));
                    (accumulate ? TLanes.Load(target + i) + change : change).Store(target + i);
                }
            }
        }
    }
}
