using System.Text.Json;
using System.Text.Json.Serialization;

namespace GradScope.Tests.Parity;

/// <summary>A tensor that PyTorch computed in float64; null where a mask leaves nothing to compare.</summary>
public sealed record ReferenceTensor(int[] Shape, double?[] Values)
{
    /// <summary>The same for the engine; what a mask hides is 0.</summary>
    public Tensor ToTensor() => new(new Shape(Shape), [.. Values.Select(value => (float)(value ?? 0))]);
}

/// <summary>One operation on one set of inputs, as make_references.py describes it.</summary>
public sealed record OperationCase(
    string Operation,
    string Case,
    OperationAttributes Attributes,
    Dictionary<string, ReferenceTensor> Inputs,
    ReferenceTensor Output,
    ReferenceTensor Upstream,
    Dictionary<string, ReferenceTensor> Gradients);

public sealed record OperationAttributes(
    float Exponent, int[]? Shape, int? Axis, bool KeepDim, int[]? Indices, int[]? IndexShape, int[]? Targets, int Heads, bool Causal);

/// <summary>One whole transformer with its weights, batches, passes and loss traces.</summary>
public sealed record ReferenceModel(
    TransformerConfig Config,
    Dictionary<string, ReferenceTensor> Parameters,
    ReferenceBatch[] Batches,
    ReferencePass[] Passes,
    ReferenceTrace[] Traces)
{
    /// <summary>The engine's model with these weights.</summary>
    public MiniTransformer Build()
    {
        var model = new MiniTransformer(Config);
        Assert.Equal(Parameters.Keys.Order(StringComparer.Ordinal), model.Parameters.Select(p => p.Name).Order(StringComparer.Ordinal));
        foreach (var (path, value) in Parameters)
        {
            model[path].Set(value.ToTensor());
        }

        return model;
    }
}

public sealed record ReferenceBatch(int[][] Tokens, int[][] Targets);

public sealed record ReferencePass(
    int Batch, double Loss, Dictionary<string, ReferenceActivation> Activations, Dictionary<string, ReferenceTensor> Gradients);

public sealed record ReferenceActivation(ReferenceTensor Value, ReferenceTensor Gradient);

public sealed record ReferenceTrace(
    string Name, OptimizerSettings Settings, double[] LearningRates, double[] Losses, double[] GradientNorms);

public sealed record OptimizerSettings(
    string Optimizer, [property: JsonPropertyName("lr")] float LearningRate, [property: JsonPropertyName("minLr")] float? MinLearningRate,
    int? WarmUp, float Beta1, float Beta2, float Epsilon, float WeightDecay, float Momentum, float? Clip);

/// <summary>The reference files beside the test assembly.</summary>
internal static class References
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerOptions.Web) { Converters = { new JsonStringEnumConverter() } };

    public static IReadOnlyList<OperationCase> Operations { get; } = Load<OperationCase[]>("operations.json");

    public static IReadOnlyList<ReferenceConfiguration> Configurations { get; } = Load<ReferenceConfiguration[]>("configurations.json");

    public static ReferenceModel Model(string name) => Load<ReferenceModel>($"model-{name}.json");

    public static string PathOf(string file) => Path.Combine(AppContext.BaseDirectory, "References", file);

    private static T Load<T>(string file)
    {
        using var stream = File.OpenRead(PathOf(file));
        return JsonSerializer.Deserialize<T>(stream, Options)!;
    }
}
