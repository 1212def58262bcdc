using V = System.Runtime.Intrinsics.Vector512<float>;

namespace GradScope.Operations;

// The table of derivatives, continued: a formula, its value, and what the result's gradient g makes of ∂a and of ∂b.

internal readonly struct Add : IBinaryRule
{
    public static string Name => "Add";
    public static string Formula(string a, string b) => $"{a} + {b}";
    public static (string A, string B) Rules(string a, string b) => ("G", "G");
    public static V Forward(V a, V b) => a + b;
    public static V BackwardA(V a, V b, V g) => g;
    public static V BackwardB(V a, V b, V g) => g;
}

internal readonly struct Subtract : IBinaryRule
{
    public static string Name => "Subtract";
    public static string Formula(string a, string b) => $"{a} − {b}";
    public static (string A, string B) Rules(string a, string b) => ("G", "−G");
    public static V Forward(V a, V b) => a - b;
    public static V BackwardA(V a, V b, V g) => g;
    public static V BackwardB(V a, V b, V g) => -g;
}

internal readonly struct Multiply : IBinaryRule
{
    public static string Name => "Multiply";
    public static string Formula(string a, string b) => $"{a} · {b}";
    public static (string A, string B) Rules(string a, string b) => ($"G · {b}", $"G · {a}");
    public static V Forward(V a, V b) => a * b;
    public static V BackwardA(V a, V b, V g) => g * b;
    public static V BackwardB(V a, V b, V g) => g * a;
}

internal readonly struct Divide : IBinaryRule
{
    public static string Name => "Divide";
    public static string Formula(string a, string b) => $"{a} / {b}";
    public static (string A, string B) Rules(string a, string b) => ($"G / {b}", $"−G · {a} / {b}²");
    public static bool HasPoleAtZeroOfB => true;
    public static V Forward(V a, V b) => a / b;
    public static V BackwardA(V a, V b, V g) => g / b;
    public static V BackwardB(V a, V b, V g) => -g * a / (b * b);
}
