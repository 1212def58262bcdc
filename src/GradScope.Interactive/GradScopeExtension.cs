using System.Reflection;

namespace GradScope.Interactive;

/// <summary>What a notebook host calls once when it loads the package; extension.dib and GradScope's own host do.</summary>
public static class GradScopeExtension
{
    /// <summary>Registers a formatter for each type worth showing; calling it again changes nothing.</summary>
    /// <returns>What was added, in a line.</returns>
    public static string Load()
    {
        ChartView.BeginNotebook();
        var count = Formatters.Register();
        var version = typeof(GradScopeExtension).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
        return $"GradScope {version}: figures for {count} types (models, tapes, tensors, frames, runs); `using GradScope;` and write the name of one to see it.";
    }
}
