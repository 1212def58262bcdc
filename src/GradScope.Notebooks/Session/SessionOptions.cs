using System.Reflection;

namespace GradScope.Notebooks;

/// <summary>
/// A package that the host itself stands in for: <c>#r "nuget: Id"</c> refers cells to the host's own assemblies, so a
/// value made in a cell and a formatter registered by the host agree on its type.
/// </summary>
/// <param name="Id">The package's id; case does not matter.</param>
/// <param name="Version">What the host carries. A cell that asks for another version is told so in one line.</param>
/// <param name="Assemblies">What cells may refer to afterwards.</param>
/// <param name="OnLoad">Called when a session meets the package first, inside the cell that asks for it.</param>
public sealed record ProvidedPackage(string Id, string Version, IReadOnlyList<Assembly> Assemblies, Action? OnLoad = null);

/// <summary>What a session offers its cells beyond C# and the framework.</summary>
public sealed record SessionOptions
{
    /// <summary>Packages that need no restore.</summary>
    public IReadOnlyList<ProvidedPackage> Packages { get; init; } = [];

    /// <summary>Assemblies that cells may use without asking.</summary>
    public IReadOnlyList<Assembly> References { get; init; } = [];

    /// <summary>Where <c>#r "x.dll"</c> and <c>#load</c> start from.</summary>
    public string Folder { get; init; } = Environment.CurrentDirectory;
}
