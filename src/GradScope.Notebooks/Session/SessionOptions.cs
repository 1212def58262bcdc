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

    /// <summary>Where <c>#r "x.dll"</c>, <c>#load</c> and <c>#!import</c> start from; a whole path.</summary>
    public string Folder { get; init; } = Environment.CurrentDirectory;

    /// <summary>
    /// Asks whoever uses the session for a line of console input, on the cell's thread; null where nobody is there to ask.
    /// </summary>
    public Func<CancellationToken, string>? ReadLine { get; init; }

    /// <summary>Where it is kept what a package restore came to; the packages themselves lie in NuGet's own folder.</summary>
    public string PackageCache { get; init; } = Path.Combine(CacheFolder(), "gradscope", "packages");

    private static string CacheFolder() =>
        OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
        : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
}
