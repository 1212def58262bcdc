using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace GradScope.Operations;

/// <summary>A function of one number and its derivative.</summary>
internal interface IUnaryRule
{
    static abstract string Name { get; }

    static abstract string Formula(string x);

    /// <summary>The derivative in words of x and y.</summary>
    static abstract string Derivative(string x, string y);

    static virtual bool HasPoleAtZero => false;

    static abstract Vector512<float> Forward(Vector512<float> x);

    /// <summary>dy/dx.</summary>
    static abstract Vector512<float> Derivative(Vector512<float> x, Vector512<float> y);
}

/// <summary>y = f(x), element by element; ∂x += ∂y · f′(x).</summary>
internal sealed class Unary<TRule>(Node x) : Node(x.Tape, x.Shape, x)
    where TRule : IUnaryRule
{
    public override string Formula => TRule.Formula(x.Label);

    public override IReadOnlyList<string> BackwardRule => [$"G · {TRule.Derivative(x.Label, Label)}"];

    private protected override string OperationName => TRule.Name;

    internal override bool HasPoleAtZero(Node input) => TRule.HasPoleAtZero;

    internal override void Forward()
    {
        var job = new ForwardRange(this);
        Workers.For(ref job, Vectors(ValueBuffer).Length, 2L * Shape.ElementCount);
    }

    internal override void Backward()
    {
        var job = new BackwardRange(this);
        Workers.For(ref job, Vectors(ValueBuffer).Length, 2L * Shape.ElementCount);
    }

    private static Span<Vector512<float>> Vectors(Buffer buffer) => MemoryMarshal.Cast<float, Vector512<float>>(buffer.Padded);

    private readonly struct ForwardRange(Unary<TRule> node) : IJob
    {
        public void Run(int from, int to)
        {
            var source = Vectors(node.Inputs[0].ValueBuffer);
            var target = Vectors(node.ValueBuffer);
            for (var i = from; i < to; i++)
            {
                target[i] = TRule.Forward(source[i]);
            }
        }
    }

    private readonly struct BackwardRange(Unary<TRule> node) : IJob
    {
        public void Run(int from, int to)
        {
            var xs = Vectors(node.Inputs[0].ValueBuffer);
            var ys = Vectors(node.ValueBuffer);
            var gradient = Vectors(node.GradBuffer);
            var target = Vectors(node.Inputs[0].GradBuffer);
            for (var i = from; i < to; i++)
            {
                target[i] += gradient[i] * TRule.Derivative(xs[i], ys[i]);
            }
        }
    }
}
