using System.Collections.Immutable;

namespace GradScope;

/// <summary>Attention on one input: for each layer and head who looks at whom, and the gradient of that.</summary>
/// <param name="Step">How many updates the model had had.</param>
/// <param name="Tokens">The input's tokens; rows of a map are queries, columns are keys.</param>
/// <param name="Causal">Whether a key after its query is not allowed (masked) rather than zero.</param>
/// <param name="BackwardHasRun">Whether the gradients are there.</param>
/// <param name="Layers">The layers shown, in order.</param>
public sealed record AttentionFrame(
    int Step,
    ImmutableArray<string> Tokens,
    bool Causal,
    bool BackwardHasRun,
    ImmutableArray<AttentionLayer> Layers);

/// <summary>One layer's attention; each tensor is (head, query, key).</summary>
/// <param name="Layer">The layer, from 0.</param>
/// <param name="Scores">q·kᵀ/√HeadDim before the softmax; −∞ where the mask forbids a key.</param>
/// <param name="Pattern">After the softmax; each row sums to 1.</param>
/// <param name="ScoresGrad">∂loss/∂scores; null where backward has not run.</param>
/// <param name="PatternGrad">∂loss/∂pattern; null where backward has not run.</param>
public sealed record AttentionLayer(int Layer, Tensor Scores, Tensor Pattern, Tensor? ScoresGrad, Tensor? PatternGrad)
{
    /// <summary>How many heads the layer has.</summary>
    public int HeadCount => Pattern.Shape[0];

    internal static AttentionLayer From(TapeFrame tape, int layer)
    {
        var scores = tape[$"blocks.{layer}.attn.scores"];
        var pattern = tape[$"blocks.{layer}.attn.pattern"];
        return new(layer, First(scores.Value)!, First(pattern.Value)!, First(scores.Grad), First(pattern.Grad));

        static Tensor? First(Tensor? batch) => batch?.Slice(0);
    }
}
