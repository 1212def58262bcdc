namespace GradScope;

/// <summary>LayerNorm, RMSNorm or nothing, with its learned weight (starting at 1) and bias.</summary>
public sealed class NormLayer
{
    private readonly string path;
    private readonly Norm kind;

    internal NormLayer(ParameterStore store, string path, TransformerConfig config)
    {
        (this.path, kind) = (path, config.Norm);
        Weight = kind == Norm.None ? null : store.Add($"{path}.weight", [config.ModelDim], 1, 0);
        Bias = kind == Norm.LayerNorm && config.Biases ? store.Add($"{path}.bias", [config.ModelDim], 0, 0) : null;
    }

    /// <summary>What each normalised feature is multiplied by, (model); null without a norm.</summary>
    public Parameter? Weight { get; }

    /// <summary>What is added to each feature, (model); null for RMSNorm and without biases.</summary>
    public Parameter? Bias { get; }

    /// <summary>(…, model) → (…, model).</summary>
    public Node Forward(Node x) => kind switch
    {
        Norm.LayerNorm => x.LayerNorm(x.Tape.Use(Weight!), Bias is null ? null : x.Tape.Use(Bias)).As(path),
        Norm.RmsNorm => x.RmsNorm(x.Tape.Use(Weight!)).As(path),
        _ => x,
    };
}
