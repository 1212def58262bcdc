using System.Text.Json;

namespace GradScope.Notebooks;

/// <summary>A package as it lies on the disk after a restore.</summary>
/// <param name="Id">Its id as the package writes it.</param>
/// <param name="Version">The version that the restore chose.</param>
/// <param name="Folder">Where it was unpacked.</param>
/// <param name="Assemblies">Whole paths of its assemblies for this framework and machine.</param>
/// <param name="Libraries">Whole paths of its native libraries for this machine.</param>
/// <param name="Frameworks">Shared frameworks that it needs beside .NET's own, for instance Microsoft.AspNetCore.App.</param>
internal sealed record RestoredPackage(
    string Id, string Version, string Folder, IReadOnlyList<string> Assemblies, IReadOnlyList<string> Libraries, IReadOnlyList<string> Frameworks)
{
    /// <summary>What the package wants to have run when a notebook loads it; null where it has none.</summary>
    public string? Extension => Path.Combine(Folder, "interactive-extensions", "dotnet", "extension.dib") is var path && File.Exists(path) ? path : null;
}

/// <summary>Reads what a restore writes down, <c>project.assets.json</c>.</summary>
internal static class PackageAssets
{
    /// <summary>The packages, each after those that it needs; null where the file or something that it names is not there.</summary>
    public static IReadOnlyList<RestoredPackage>? TryRead(string file)
    {
        if (!File.Exists(file))
            return null;
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        var root = json.RootElement;
        var roots = root.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name).ToList();
        // The target of this machine is named "framework/rid".
        var target = root.GetProperty("targets").EnumerateObject().Single(target => target.Name.Contains('/')).Value;
        var byId = target.EnumerateObject()
            .Where(library => library.Value.GetProperty("type").GetString() == "package")
            .ToDictionary(library => library.Name.Split('/')[0], StringComparer.OrdinalIgnoreCase);

        var packages = new List<RestoredPackage>();
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var isWhole = byId.Keys.Order(StringComparer.OrdinalIgnoreCase).All(Visit);
        return isWhole ? packages : null;

        bool Visit(string id)
        {
            if (!byId.TryGetValue(id, out var library) || !seen.Add(id))
                return true;
            if (library.Value.TryGetProperty("dependencies", out var needs) && !needs.EnumerateObject().All(need => Visit(need.Name)))
                return false;
            var path = root.GetProperty("libraries").GetProperty(library.Name).GetProperty("path").GetString()!;
            if (roots.Select(folder => Path.Combine(folder, path)).FirstOrDefault(Directory.Exists) is not { } folder)
                return false;
            var names = library.Name.Split('/');
            var package = new RestoredPackage(names[0], names[1], folder, Files("runtime"), Files("native"), Frameworks());
            packages.Add(package);
            return package.Assemblies.Concat(package.Libraries).All(File.Exists);

            IReadOnlyList<string> Frameworks() => library.Value.TryGetProperty("frameworkReferences", out var names)
                ? [.. names.EnumerateArray().Select(name => name.GetString()!)]
                : [];

            // "_._" stands for "nothing, on purpose".
            IReadOnlyList<string> Files(string kind) => library.Value.TryGetProperty(kind, out var files)
                ? [.. files.EnumerateObject().Select(file => file.Name).Where(name => !name.EndsWith("/_._", StringComparison.Ordinal)).Select(name => Path.Combine(folder, name))]
                : [];
        }
    }
}
