using System.Runtime.Intrinsics;
using V = System.Runtime.Intrinsics.Vector512<float>;

namespace GradScope.Operations;

// The table of derivatives: each rule is a formula, its value, and dy/dx.

internal readonly struct Negate : IUnaryRule
{
    public static string Name => "Negate";
    public static string Formula(string x) => $"−{x}";
    public static string Derivative(string x, string y) => "(−1)";
    public static V Forward(V x) => -x;
    public static V Derivative(V x, V y) => -V.One;
}

internal readonly struct Exp : IUnaryRule
{
    public static string Name => "Exp";
    public static string Formula(string x) => $"exp({x})";
    public static string Derivative(string x, string y) => y;
    public static V Forward(V x) => VectorMath.Exp(x);
    public static V Derivative(V x, V y) => y;
}

internal readonly struct Log : IUnaryRule
{
    public static string Name => "Log";
    public static string Formula(string x) => $"log({x})";
    public static string Derivative(string x, string y) => $"1/{x}";
    public static bool HasPoleAtZero => true;
    public static V Forward(V x) => Vector512.Log(x);
    public static V Derivative(V x, V y) => V.One / x;
}

internal readonly struct Sqrt : IUnaryRule
{
    public static string Name => "Sqrt";
    public static string Formula(string x) => $"√{x}";
    public static string Derivative(string x, string y) => $"1/(2·{y})";
    public static bool HasPoleAtZero => true;
    public static V Forward(V x) => Vector512.Sqrt(x);
    public static V Derivative(V x, V y) => Vector512.Create(0.5f) / y;
}

internal readonly struct Tanh : IUnaryRule
{
    public static string Name => "Tanh";
    public static string Formula(string x) => $"tanh({x})";
    public static string Derivative(string x, string y) => $"(1 − {y}²)";
    public static V Forward(V x) => VectorMath.Tanh(x);
    public static V Derivative(V x, V y) => V.One - y * y;
}

internal readonly struct Sigmoid : IUnaryRule
{
    public static string Name => "Sigmoid";
    public static string Formula(string x) => $"1/(1 + exp(−{x}))";
    public static string Derivative(string x, string y) => $"{y}·(1 − {y})";
    public static V Forward(V x) => V.One / (V.One + VectorMath.Exp(-x));
    public static V Derivative(V x, V y) => y * (V.One - y);
}

/// <summary>x·Φ(x), Φ(x) = ½(1 + erf(x/√2)); derivative Φ(x) + x·φ(x) (Hendrycks and Gimpel 2016).</summary>
internal readonly struct Gelu : IUnaryRule
{
    public static string Name => "Gelu";
    public static string Formula(string x) => $"{x}·Φ({x})";
    public static string Derivative(string x, string y) => $"(Φ({x}) + {x}·φ({x}))";
    public static V Forward(V x) => x * VectorMath.Normal(x, out _);
    public static V Derivative(V x, V y) => VectorMath.Normal(x, out var bell) + x * Vector512.Create(0.3989422804f) * bell;
}

/// <summary>½x(1 + tanh u), u = √(2/π)·(x + 0.044715x³); derivative ½(1 + tanh u) + ½x(1 − tanh² u)·u′.</summary>
internal readonly struct GeluTanh : IUnaryRule
{
    private static V Half => Vector512.Create(0.5f);
    private static V Scale => Vector512.Create(0.7978845608f);
    private static V Cubic => Vector512.Create(0.044715f);

    public static string Name => "GeluTanh";
    public static string Formula(string x) => $"½{x}·(1 + tanh(√(2/π)·({x} + 0.044715{x}³)))";
    public static string Derivative(string x, string y) => $"gelu′({x})";
    public static V Forward(V x) => Half * x * (V.One + TanhOfU(x));

    public static V Derivative(V x, V y)
    {
        var t = TanhOfU(x);
        var slope = Scale * (V.One + Vector512.Create(3f) * Cubic * x * x);
        return Half * (V.One + t) + Half * x * (V.One - t * t) * slope;
    }

    private static V TanhOfU(V x) => VectorMath.Tanh(Scale * (x + Cubic * x * x * x));
}
