namespace GradScope;

/// <summary>A learned linear map y = x·W + b; W is (in, out), b (out) or absent.</summary>
public sealed class Linear
{
    internal Linear(ParameterStore store, string path, int from, int to, bool bias, float scale)
    {
        Weight = store.Add($"{path}.weight", [from, to], 0, scale);
        Bias = bias ? store.Add($"{path}.bias", [to], 0, 0) : null;
    }

    /// <summary>W, (in, out).</summary>
    public Parameter Weight { get; }

    /// <summary>b, (out); null where the map has none.</summary>
    public Parameter? Bias { get; }

    /// <summary>(…, in) → (…, out).</summary>
    public Node Forward(Node x) => x.Linear(x.Tape.Use(Weight), Bias is null ? null : x.Tape.Use(Bias));
}
