namespace GradScope;

/// <summary>
/// Multi-head self-attention (Vaswani et al. 2017): q, k, v = x·Wq, x·Wk, x·Wv; scores = q·kᵀ/√HeadDim and
/// pattern = softmax(scores) in each head; z = pattern·v; out = z·Wo. On the tape: attn.q, .k, .v, .scores, .pattern, .z, .out.
/// </summary>
public sealed class MultiHeadAttention
{
    private readonly TransformerConfig config;
    private readonly string path;

    internal MultiHeadAttention(ParameterStore store, string path, TransformerConfig config, float outScale)
    {
        (this.config, this.path) = (config, path);
        var dim = config.ModelDim;
        Wq = new(store, $"{path}.wq", dim, dim, config.Biases, config.InitScale);
        Wk = new(store, $"{path}.wk", dim, dim, config.Biases, config.InitScale);
        Wv = new(store, $"{path}.wv", dim, dim, config.Biases, config.InitScale);
        Wo = new(store, $"{path}.wo", dim, dim, config.Biases, outScale);
    }

    /// <summary>What a position asks for.</summary>
    public Linear Wq { get; }

    /// <summary>What a position offers to be asked for.</summary>
    public Linear Wk { get; }

    /// <summary>What a position tells those who attend to it.</summary>
    public Linear Wv { get; }

    /// <summary>Brings the heads' results back to the residual stream.</summary>
    public Linear Wo { get; }

    /// <summary>(batch, position, model) → (batch, position, model).</summary>
    internal Node Forward(Node x, DropoutLayer dropout)
    {
        var q = Wq.Forward(x).As($"{path}.q");
        var k = Wk.Forward(x).As($"{path}.k");
        var v = Wv.Forward(x).As($"{path}.v");
        var scores = q.HeadScores(k, config.HeadCount, config.Causal).As($"{path}.scores");
        var pattern = (config.Causal ? scores.CausalSoftmax() : scores.Softmax()).As($"{path}.pattern");
        var z = dropout.Forward(pattern).HeadMix(v, config.Causal).As($"{path}.z");
        return dropout.Forward(Wo.Forward(z)).As($"{path}.out");
    }
}

/// <summary>Dropout in training, nothing otherwise.</summary>
internal readonly record struct DropoutLayer(float Probability, ulong Seed)
{
    public Node Forward(Node x) => Probability == 0 ? x : x.Dropout(Probability, Seed);
}
