using System.Reflection;

namespace GradScope.Interactive;

/// <summary>What a notebook host calls once when it loads the package; extension.dib and GradScope's own host do.</summary>
public static class GradScopeExtension
{
    private const string Magic = "#!gradscope";

    private static string Version =>
        typeof(GradScopeExtension).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    /// <summary>
    /// Registers a formatter for each type worth showing and, in .NET Interactive, the magic command #!gradscope; calling it again
    /// begins a new notebook and changes nothing else.
    /// </summary>
    /// <returns>What was added, in a line.</returns>
    public static string Load() => Load(new DotNetInteractive());

    /// <summary>What #!gradscope tells: the version, what is shown and where, and which colours.</summary>
    public static string Describe()
    {
        Formatters.Register();
        return $"""
            GradScope {Version}
            shown as figures: {string.Join(", ", Formatters.Registered.Select(type => type.Name))}; and lists of them
            live views: {Where(DisplayBridge.Current)}
            theme: light and dark, as the notebook or else the system has it
            """;
    }

    internal static string Load(DotNetInteractive host)
    {
        ChartView.BeginNotebook();
        var count = Formatters.Register();
        return $"GradScope {Version}: figures for {count} types (models, tapes, tensors, frames, runs); `using GradScope;` and write the name of one to see it.{AddMagic(host)}";
    }

    private static string AddMagic(DotNetInteractive host)
    {
        try
        {
            return host.AddMagic(Magic, () => LiveView.Note(Describe())) ? $" {Magic} tells more." : "";
        }
        catch (Exception exception)
        {
            return $" {Magic} could not be added: {(exception is TargetInvocationException { InnerException: { } inner } ? inner : exception).Message}";
        }
    }

    private static string Where(IDisplayBridge bridge) =>
        bridge == DisplayBridge.Automatic ? "in the running cell or the terminal, found by themselves"
        : bridge == DisplayBridge.None ? "nowhere"
        : "by " + bridge.GetType().Name;
}
