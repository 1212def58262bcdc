namespace GradScope.Operations;

// The table of derivatives, continued: a formula, its value, and what the result's gradient g makes of ∂a and of ∂b.

internal readonly struct Add : IBinaryRule
{
    public static string Name => "Add";
    public static bool IsLinear => true;
    public static string Formula(string a, string b) => $"{a} + {b}";
    public static (string A, string B) Rules(string a, string b) => ("G", "G");
    public static T Forward<T>(T a, T b) where T : struct, ILanes<T> => a + b;
    public static T BackwardA<T>(T a, T b, T g) where T : struct, ILanes<T> => g;
    public static T BackwardB<T>(T a, T b, T g) where T : struct, ILanes<T> => g;
}

internal readonly struct Subtract : IBinaryRule
{
    public static string Name => "Subtract";
    public static bool IsLinear => true;
    public static string Formula(string a, string b) => $"{a} − {b}";
    public static (string A, string B) Rules(string a, string b) => ("G", "−G");
    public static T Forward<T>(T a, T b) where T : struct, ILanes<T> => a - b;
    public static T BackwardA<T>(T a, T b, T g) where T : struct, ILanes<T> => g;
    public static T BackwardB<T>(T a, T b, T g) where T : struct, ILanes<T> => -g;
}

internal readonly struct Multiply : IBinaryRule
{
    public static string Name => "Multiply";
    public static string Formula(string a, string b) => $"{a} · {b}";
    public static (string A, string B) Rules(string a, string b) => ($"G · {b}", $"G · {a}");
    public static T Forward<T>(T a, T b) where T : struct, ILanes<T> => a * b;
    public static T BackwardA<T>(T a, T b, T g) where T : struct, ILanes<T> => g * b;
    public static T BackwardB<T>(T a, T b, T g) where T : struct, ILanes<T> => g * a;
}

internal readonly struct Divide : IBinaryRule
{
    public static string Name => "Divide";
    public static string Formula(string a, string b) => $"{a} / {b}";
    public static (string A, string B) Rules(string a, string b) => ($"G / {b}", $"−G · {a} / {b}²");
    public static bool HasPoleAtZeroOfB => true;
    public static T Forward<T>(T a, T b) where T : struct, ILanes<T> => a / b;
    public static T BackwardA<T>(T a, T b, T g) where T : struct, ILanes<T> => g / b;
    public static T BackwardB<T>(T a, T b, T g) where T : struct, ILanes<T> => -g * a / (b * b);
}
