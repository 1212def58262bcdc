using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>A model's architecture: what stands on the residual stream, with shapes, parameter counts, and the names the code uses.</summary>
public static class ModelFigure
{
    /// <summary>Draws the model; of more than 3 blocks the first with its parts, the others folded.</summary>
    public static Figure Draw(ModelFrame model, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Transformer";
        return Figure.From(new ModelDrawing(model, title, options).Draw(), null, title, Summary(model, title), null, [Table(model)]);
    }

    /// <summary>The model's sizes, in words.</summary>
    internal static string Sizes(TransformerConfig config) => string.Create(
        CultureInfo.InvariantCulture,
        $"{config.LayerCount} layer{(config.LayerCount == 1 ? "" : "s")} × {config.HeadCount} head{(config.HeadCount == 1 ? "" : "s")} of width {config.HeadDim} · width {config.ModelDim} · {(config.HasMlp ? $"mlp {config.HiddenDim}" : "no mlp")}");

    /// <summary>The choices beside sizes, in words.</summary>
    internal static string Choices(TransformerConfig config)
    {
        List<string> words = [$"context {Numbers.Count(config.ContextLength)}", $"vocabulary {Numbers.Count(config.VocabSize)}", config.NormPlacement == NormPlacement.Pre ? "pre-norm" : "post-norm", config.Causal ? "causal" : "full attention"];
        if (!config.Biases) words.Add("no biases");
        if (config.TiedEmbeddings) words.Add("tied embeddings");
        if (config.Dropout > 0) words.Add(string.Create(CultureInfo.InvariantCulture, $"dropout {config.Dropout}"));
        return string.Join(" · ", words);
    }

    private static string Summary(ModelFrame model, string title)
    {
        var text = new StringBuilder($"{title}: {Sizes(model.Config)} · {Choices(model.Config)}. {Numbers.Count(model.ParameterCount)} parameters{FrozenWords(model)}:");
        var blocks = model.Config.LayerCount;
        foreach (var module in model.Parameters.Select(p => p.Module).Where(m => !m.StartsWith("blocks.", StringComparison.Ordinal)).Distinct())
        {
            text.Append($"\n  {module}: {Numbers.Count(model.CountBelow(module))}");
        }

        return text.Append(CultureInfo.InvariantCulture, $"\n  blocks: {blocks} × {Numbers.Count(model.CountBelow("blocks.0"))}").ToString();
    }

    /// <summary>", 4,160 of them frozen", or nothing.</summary>
    internal static string FrozenWords(ModelFrame model) => model.Parameters.Where(p => p.IsFrozen).Sum(p => p.Shape.ElementCount) is > 0 and var count
        ? $", {Numbers.Count(count)} of them frozen"
        : "";

    private static DataTable Table(ModelFrame model) => new(
        "Parameters", 2, ["parameter", "shape", "numbers", "‖weights‖", "‖gradient‖"],
        [.. model.Parameters.Select(p => (string[])[p.Name, p.Shape.ToString(), Numbers.Count(p.Shape.Aggregate(1, (a, b) => a * b)), Numbers.Exact(p.ValueNorm), p.IsFrozen ? "frozen" : Numbers.Exact(p.GradNorm)])]);
}
