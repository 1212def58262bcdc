namespace GradScope;

/// <summary>
/// One block: attention, then an MLP, each a branch that reads the residual stream and adds to it. Pre-norm: x + branch(norm(x));
/// post-norm: norm(x + branch(x)). On the tape: resid_pre, resid_mid, resid_post.
/// </summary>
public sealed class Block
{
    private readonly string path;
    private readonly bool preNorm;

    internal Block(ParameterStore store, int index, TransformerConfig config)
    {
        path = $"blocks.{index}";
        preNorm = config.NormPlacement == NormPlacement.Pre;
        var outScale = config.InitScale / MathF.Sqrt(config.LayerCount * (config.HasMlp ? 2 : 1));
        Norm1 = new(store, $"{path}.ln1", config);
        Attention = new(store, $"{path}.attn", config, outScale);
        if (config.HasMlp)
        {
            Norm2 = new(store, $"{path}.ln2", config);
            Mlp = new(store, $"{path}.mlp", config, outScale);
        }
    }

    /// <summary>The norm of the attention branch.</summary>
    public NormLayer Norm1 { get; }

    /// <summary>The attention branch.</summary>
    public MultiHeadAttention Attention { get; }

    /// <summary>The norm of the MLP branch; null for blocks of attention only.</summary>
    public NormLayer? Norm2 { get; }

    /// <summary>The MLP branch; null for blocks of attention only.</summary>
    public Mlp? Mlp { get; }

    internal Node Forward(Node x, DropoutLayer dropout)
    {
        x = Add(x, Norm1, y => Attention.Forward(y, dropout)).As($"{path}.resid_mid");
        if (Mlp is not null)
        {
            x = Add(x, Norm2!, y => Mlp.Forward(y, dropout));
        }

        return x.As($"{path}.resid_post");
    }

    private Node Add(Node x, NormLayer norm, Func<Node, Node> branch) =>
        preNorm ? x + branch(norm.Forward(x)) : norm.Forward(x + branch(x));
}
