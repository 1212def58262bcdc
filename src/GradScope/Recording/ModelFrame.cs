using System.Collections.Immutable;

namespace GradScope;

/// <summary>One parameter of a model.</summary>
/// <param name="Name">Its path, such as blocks.0.attn.wq.weight.</param>
/// <param name="Shape">Its shape; a linear map's weight is (in, out) and is used as x·W.</param>
/// <param name="ValueNorm">‖weights‖.</param>
/// <param name="GradNorm">‖∂loss/∂weights‖ of the last backward; null where none has run, or the parameter is frozen.</param>
public sealed record ParameterFrame(string Name, Shape Shape, double ValueNorm, double? GradNorm)
{
    /// <summary>Whether it does not learn.</summary>
    public bool IsFrozen { get; init; }

    /// <summary>The path up to the last two parts' module: blocks.0.attn.wq for blocks.0.attn.wq.weight.</summary>
    public string Module => Name[..Name.LastIndexOf('.')];
}

/// <summary>A model's architecture, with the norms of its parameters at one moment.</summary>
public sealed record ModelFrame(TransformerConfig Config, ImmutableArray<ParameterFrame> Parameters)
{
    /// <summary>How many numbers the model learns.</summary>
    public int ParameterCount => Parameters.Sum(p => p.Shape.ElementCount);

    /// <summary>How many of them stand below a path, such as blocks.0.attn; tied weights count once, where they are defined.</summary>
    public int CountBelow(string path) =>
        Parameters.Where(p => p.Name.StartsWith(path + ".", StringComparison.Ordinal)).Sum(p => p.Shape.ElementCount);
}
