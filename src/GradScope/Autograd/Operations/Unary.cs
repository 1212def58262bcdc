using System.Runtime.CompilerServices;

namespace GradScope.Operations;

/// <summary>A function of one number and its derivative.</summary>
internal interface IUnaryRule
{
    static abstract string Name { get; }

    static abstract string Formula(string x);

    /// <summary>The derivative in words of x and y.</summary>
    static abstract string Derivative(string x, string y);

    static virtual bool HasPoleAtZero => false;

    static abstract T Forward<T>(T x) where T : struct, ILanes<T>;

    /// <summary>dy/dx.</summary>
    static abstract T Derivative<T>(T x, T y) where T : struct, ILanes<T>;
}

/// <summary>y = f(x), element by element; ∂x += ∂y · f′(x).</summary>
internal sealed class Unary<TRule>(Node x) : Node(x.Tape, x.Shape, x)
    where TRule : IUnaryRule
{
    public override string Formula => TRule.Formula(x.Label);

    public override IReadOnlyList<string> BackwardRule => [$"G · {TRule.Derivative(x.Label, Label)}"];

    private protected override string OperationName => TRule.Name;

    internal override bool HasPoleAtZero(Node input) => TRule.HasPoleAtZero;

    internal override bool WritesWholeGradients => true;

    internal override void Forward() => Lanes.For(new ForwardRange(x, this), ValueBuffer.Blocks, Shape.ElementCount);

    internal override void Backward() => Lanes.For(new BackwardRange(x, this, x.Accumulates()), ValueBuffer.Blocks, Shape.ElementCount);

    private readonly unsafe struct ForwardRange(Node x, Node y) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            fixed (float* xs = x.ValueBuffer.Padded, ys = y.ValueBuffer.Padded)
            {
                for (var i = from * Buffer.Block; i < to * Buffer.Block; i += TLanes.Width)
                {
                    TRule.Forward(TLanes.Load(xs + i)).Store(ys + i);
                }
            }
        }
    }

    private readonly unsafe struct BackwardRange(Node x, Node y, bool accumulate) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            fixed (float* xs = x.ValueBuffer.Padded, ys = y.ValueBuffer.Padded, gradient = y.GradBuffer.Padded, target = x.GradBuffer.Padded)
            {
                for (var i = from * Buffer.Block; i < to * Buffer.Block; i += TLanes.Width)
                {
                    var change = TLanes.Load(gradient + i) * TRule.Derivative(TLanes.Load(xs + i), TLanes.Load(ys + i));
                    (accumulate ? TLanes.Load(target + i) + change : change).Store(target + i);
                }
            }
        }
    }
}
