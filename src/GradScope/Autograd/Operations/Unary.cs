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
        var source = MemoryMarshal.Cast<float, Vector512<float>>(x.ValueBuffer.Padded);
        var target = MemoryMarshal.Cast<float, Vector512<float>>(ValueBuffer.Padded);
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = TRule.Forward(source[i]);
        }
    }

    internal override void Backward()
    {
        var xs = MemoryMarshal.Cast<float, Vector512<float>>(x.ValueBuffer.Padded);
        var ys = MemoryMarshal.Cast<float, Vector512<float>>(ValueBuffer.Padded);
        var gradient = MemoryMarshal.Cast<float, Vector512<float>>(GradBuffer.Padded);
        var target = MemoryMarshal.Cast<float, Vector512<float>>(x.GradBuffer.Padded);
        for (var i = 0; i < target.Length; i++)
        {
            target[i] += gradient[i] * TRule.Derivative(xs[i], ys[i]);
        }
    }
}
