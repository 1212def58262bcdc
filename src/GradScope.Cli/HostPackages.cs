using System.Reflection;
using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary>The packages that notebooks get from this tool itself, without a restore.</summary>
static class HostPackages
{
    /// <summary>GradScope and what is built on it, each with the assemblies that it brings along.</summary>
    public static IReadOnlyList<ProvidedPackage> All { get; } =
    [
        Package("GradScope", ["GradScope"]),
        Package("GradScope.Figures", ["GradScope", "GradScope.Figures"]),
        Package("GradScope.Interactive", ["GradScope", "GradScope.Figures", "GradScope.Interactive"]),
    ];

    static ProvidedPackage Package(string id, string[] names, Action? onLoad = null)
    {
        Assembly[] assemblies = [.. names.Select(Assembly.Load)];
        var version = assemblies[^1].GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
        return new(id, version ?? "", assemblies, onLoad);
    }
}
