namespace GradScope.Operations;

// The table of derivatives: each rule is a formula, its value, and dy/dx.

internal readonly struct Negate : IUnaryRule
{
    public static string Name => "Negate";
    public static string Formula(string x) => $"−{x}";
    public static string Derivative(string x, string y) => "(−1)";
    public static T Forward<T>(T x) where T : struct, ILanes<T> => -x;
    public static T Derivative<T>(T x, T y) where T : struct, ILanes<T> => -1;
}

internal readonly struct Exp : IUnaryRule
{
    public static string Name => "Exp";
    public static string Formula(string x) => $"exp({x})";
    public static string Derivative(string x, string y) => y;
    public static T Forward<T>(T x) where T : struct, ILanes<T> => VectorMath.Exp(x);
    public static T Derivative<T>(T x, T y) where T : struct, ILanes<T> => y;
}

internal readonly struct Log : IUnaryRule
{
    public static string Name => "Log";
    public static string Formula(string x) => $"log({x})";
    public static string Derivative(string x, string y) => $"1/{x}";
    public static bool HasPoleAtZero => true;
    public static T Forward<T>(T x) where T : struct, ILanes<T> => T.Log(x);
    public static T Derivative<T>(T x, T y) where T : struct, ILanes<T> => 1 / x;
}

internal readonly struct Sqrt : IUnaryRule
{
    public static string Name => "Sqrt";
    public static string Formula(string x) => $"√{x}";
    public static string Derivative(string x, string y) => $"1/(2·{y})";
    public static bool HasPoleAtZero => true;
    public static T Forward<T>(T x) where T : struct, ILanes<T> => T.Sqrt(x);
    public static T Derivative<T>(T x, T y) where T : struct, ILanes<T> => 0.5f / y;
}

internal readonly struct Tanh : IUnaryRule
{
    public static string Name => "Tanh";
    public static string Formula(string x) => $"tanh({x})";
    public static string Derivative(string x, string y) => $"(1 − {y}²)";
    public static T Forward<T>(T x) where T : struct, ILanes<T> => VectorMath.Tanh(x);
    public static T Derivative<T>(T x, T y) where T : struct, ILanes<T> => 1 - y * y;
}

internal readonly struct Sigmoid : IUnaryRule
{
    public static string Name => "Sigmoid";
    public static string Formula(string x) => $"1/(1 + exp(−{x}))";
    public static string Derivative(string x, string y) => $"{y}·(1 − {y})";
    public static T Forward<T>(T x) where T : struct, ILanes<T> => 1 / (1 + VectorMath.Exp(-x));
    public static T Derivative<T>(T x, T y) where T : struct, ILanes<T> => y * (1 - y);
}

/// <summary>x·Φ(x), Φ(x) = ½(1 + erf(x/√2)); derivative Φ(x) + x·φ(x) (Hendrycks and Gimpel 2016).</summary>
internal readonly struct Gelu : IUnaryRule
{
    public static string Name => "Gelu";
    public static string Formula(string x) => $"{x}·Φ({x})";
    public static string Derivative(string x, string y) => $"(Φ({x}) + {x}·φ({x}))";
    public static T Forward<T>(T x) where T : struct, ILanes<T> => x * VectorMath.Normal(x);

    public static T Derivative<T>(T x, T y) where T : struct, ILanes<T>
    {
        // Φ(x) is y/x, but where that may be 0/0.
        var normal = T.Select(T.Less(T.Abs(x), 1e-30f), 0.5f, y / x);
        return T.MultiplyAdd(x * 0.3989422804f, VectorMath.Bell(x), normal);
    }
}

/// <summary>½x(1 + tanh u), u = √(2/π)·(x + 0.044715x³); derivative ½(1 + tanh u) + ½x(1 − tanh² u)·u′.</summary>
internal readonly struct GeluTanh : IUnaryRule
{
    private const float Scale = 0.7978845608f;
    private const float Cubic = 0.044715f;

    public static string Name => "GeluTanh";
    public static string Formula(string x) => $"½{x}·(1 + tanh(√(2/π)·({x} + 0.044715{x}³)))";
    public static string Derivative(string x, string y) => $"gelu′({x})";
    public static T Forward<T>(T x) where T : struct, ILanes<T> => 0.5f * x * (1 + TanhOfU(x));

    public static T Derivative<T>(T x, T y) where T : struct, ILanes<T>
    {
        var t = TanhOfU(x);
        var slope = Scale * (1 + 3 * Cubic * x * x);
        return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * slope;
    }

    private static T TanhOfU<T>(T x) where T : struct, ILanes<T> => VectorMath.Tanh(Scale * (x + Cubic * x * x * x));
}
