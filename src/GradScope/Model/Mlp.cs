namespace GradScope;

/// <summary>down(activation(up(x))), position by position. On the tape: mlp.pre, .post, .out.</summary>
public sealed class Mlp
{
    private readonly Activation activation;
    private readonly string path;

    internal Mlp(ParameterStore store, string path, TransformerConfig config, float outScale)
    {
        (activation, this.path) = (config.Activation, path);
        Up = new(store, $"{path}.up", config.ModelDim, config.HiddenDim, config.Biases, config.InitScale);
        Down = new(store, $"{path}.down", config.HiddenDim, config.ModelDim, config.Biases, outScale);
    }

    /// <summary>From the residual stream to the hidden width.</summary>
    public Linear Up { get; }

    /// <summary>And back.</summary>
    public Linear Down { get; }

    internal Node Forward(Node x, DropoutLayer dropout)
    {
        var pre = Up.Forward(x).As($"{path}.pre");
        var post = activation switch
        {
            Activation.Gelu => pre.Gelu(),
            Activation.GeluTanh => pre.GeluTanh(),
            _ => pre.Relu(),
        };
        return dropout.Forward(Down.Forward(post.As($"{path}.post"))).As($"{path}.out");
    }
}
