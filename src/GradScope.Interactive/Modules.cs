using GradScope.Figures;

namespace GradScope.Interactive;

/// <summary>Parts of a model as the parameters that they learn.</summary>
internal static class Modules
{
    public static Figure Draw(string kind, object module)
    {
        var parameters = ParametersOf(module).ToList();
        var path = parameters.Count == 0 ? "" : parameters.Select(p => p.Name[..p.Name.LastIndexOf('.')]).Aggregate(Common);
        return ParametersFigure.Draw(path.Length > 0 ? $"{kind}: {path}" : kind, Recorder.Capture(parameters));
    }

    private static IEnumerable<Parameter> ParametersOf(object? module) => module switch
    {
        Linear linear => Given(linear.Weight, linear.Bias),
        NormLayer norm => Given(norm.Weight, norm.Bias),
        MultiHeadAttention attention => All(attention.Wq, attention.Wk, attention.Wv, attention.Wo),
        Mlp mlp => All(mlp.Up, mlp.Down),
        Block block => All(block.Norm1, block.Attention, block.Norm2, block.Mlp),
        _ => [],
    };

    private static IEnumerable<Parameter> All(params object?[] modules) => modules.SelectMany(ParametersOf);

    private static IEnumerable<Parameter> Given(params Parameter?[] parameters) => parameters.OfType<Parameter>();

    /// <summary>What two paths begin with, in whole parts.</summary>
    private static string Common(string a, string b) =>
        string.Join('.', a.Split('.').Zip(b.Split('.')).TakeWhile(pair => pair.First == pair.Second).Select(pair => pair.First));
}
