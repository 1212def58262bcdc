using System.Reflection;
using GradScope.Interactive;
using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary>The packages that notebooks get from this tool itself, without a restore.</summary>
internal static class HostPackages
{
    /// <summary>GradScope and what is built on it, each with the assemblies that it brings along.</summary>
    public static IReadOnlyList<ProvidedPackage> All { get; } =
    [
        Package("GradScope", ["GradScope"]),
        Package("GradScope.Figures", ["GradScope", "GradScope.Figures"]),
        Package("GradScope.Tokenizers", ["GradScope", "GradScope.Tokenizers"]),
        Package("GradScope.Interactive", ["GradScope", "GradScope.Figures", "GradScope.Tokenizers", "GradScope.Interactive"], LoadInteractive),
    ];

    /// <summary>Does what the package's extension.dib does in .NET Interactive, and lets live views reach the running cell.</summary>
    private static void LoadInteractive()
    {
        DisplayBridge.Current = new CellBridge();
        Console.WriteLine(GradScopeExtension.Load());
    }

    private static ProvidedPackage Package(string id, string[] names, Action? onLoad = null)
    {
        Assembly[] assemblies = [.. names.Select(Assembly.Load)];
        var version = assemblies[^1].GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
        return new(id, version ?? "", assemblies, onLoad);
    }
}

/// <summary>Shows GradScope's live views in the cell that makes them.</summary>
internal sealed class CellBridge : IDisplayBridge
{
    public ILiveOutput? Show(object value) => CellContext.Current is { } cell ? new Output(cell.Display(value)) : null;

    private sealed class Output(DisplayHandle handle) : ILiveOutput
    {
        public void Update(object value) => handle.Update(value);
    }
}
