using System.Reflection;

namespace GradScope.Notebooks;

/// <summary>
/// Follows a session's <c>#r "nuget: …"</c> and <c>#i "nuget: …"</c>: what the host carries comes from the host, all else
/// from a restore of everything that the session has asked for so far.
/// </summary>
/// <param name="options">The session's.</param>
/// <param name="refer">Lets cells use an assembly.</param>
/// <param name="own">Simple names of the assemblies that are the host's or the framework's and stay so.</param>
internal sealed class PackageLoader(SessionOptions options, Action<Assembly> refer, IReadOnlySet<string> own)
{
    private readonly PackageRestore restore = new(options.PackageCache, options.Folder);
    private readonly PackageContext context = new();
    private readonly Dictionary<string, string> loaded = new(StringComparer.OrdinalIgnoreCase);
    private List<PackageRequest> requests = [];
    private List<string> sources = [];

    /// <summary>Loads what a cell asks for, and gives the extension.dib files that are to be run now.</summary>
    /// <exception cref="DirectiveException">Nothing was loaded; the session is as it was.</exception>
    public async Task<IReadOnlyList<string>> LoadAsync(CellScript script, CellContext cell, CancellationToken stop)
    {
        sources = [.. sources.Union(script.Sources.Select(Check))];
        var toRestore = new List<PackageRequest>();
        foreach (var request in script.Packages)
        {
            if (Provided(request.Id) is { } provided)
                Load(provided, request.Version, cell);
            else if (requests.Concat(toRestore).FirstOrDefault(former => Same(former.Id, request.Id)) is not { } former)
                toRestore.Add(request);
            else if (request.Version.Length > 0 && request.Version != former.Version && request.Version != loaded.GetValueOrDefault(request.Id))
                throw new DirectiveException($"{request.Id} is here in version {loaded.GetValueOrDefault(request.Id, former.Version)} already; "
                    + $"restart the session to use {request.Version}", request.Line);
        }
        return toRestore.Count == 0 ? [] : await RestoreAsync(toRestore, cell, stop).ConfigureAwait(true);
    }

    private async Task<IReadOnlyList<string>> RestoreAsync(List<PackageRequest> wanted, CellContext cell, CancellationToken stop)
    {
        var names = string.Join(", ", wanted.Select(request => $"{request.Id} {request.Version}".Trim()));
        var shown = cell.Display($"Restoring {names} …");
        List<PackageRequest> all = [.. requests, .. wanted];
        IReadOnlyList<RestoredPackage> packages;
        IReadOnlyList<string> shared;
        try
        {
            packages = await restore.RestoreAsync(all, sources, stop).ConfigureAwait(true);
            if (packages.FirstOrDefault(package => Provided(package.Id) is null && loaded.GetValueOrDefault(package.Id, package.Version) != package.Version) is { } other)
                throw new RestoreException($"{names}: needs {other.Id} {other.Version}, but {loaded[other.Id]} is loaded already; "
                    + "restart the session and ask for all of its packages in one cell");
            shared = [.. packages.SelectMany(package => package.Frameworks.SelectMany(name => SharedFramework.Assemblies(name, package.Id)))];
        }
        catch (RestoreException error)
        {
            shown.Update($"Not restored: {names}");
            throw new DirectiveException(error.Message, wanted[0].Line);
        }

        requests = all;
        var extensions = new List<string>();
        foreach (var package in packages)
        {
            if (Provided(package.Id) is { } provided)
                Load(provided, package.Version, cell);
            else if (loaded.TryAdd(package.Id, package.Version) && package.Extension is { } extension)
                extensions.Add(extension);
        }
        Refer(packages, shared);
        shown.Update("Packages: " + string.Join(", ", wanted.Select(request => packages.First(package => Same(package.Id, request.Id)))
            .Select(package => $"{package.Id} {package.Version}")));
        return extensions;
    }

    /// <summary>All are known before one is loaded, as each may need another.</summary>
    private void Refer(IEnumerable<RestoredPackage> packages, IEnumerable<string> shared)
    {
        foreach (var library in packages.SelectMany(package => package.Libraries))
            context.AddLibrary(library);
        var added = packages.SelectMany(package => package.Assemblies).Concat(shared)
            .Where(path => !own.Contains(Path.GetFileNameWithoutExtension(path)) && context.AddAssembly(path)).ToList();
        foreach (var assembly in added)
            refer(context.LoadFromAssemblyPath(assembly));
    }

    private void Load(ProvidedPackage provided, string version, CellContext cell)
    {
        if (version.Length > 0 && version != provided.Version && version != "*" && version != "*-*")
            cell.Publish(new CellOutput.Stream("stderr",
                $"{provided.Id} {version} is asked for; this host carries {provided.Version} and goes on with it.\n"));
        if (!loaded.TryAdd(provided.Id, provided.Version))
            return;
        foreach (var assembly in provided.Assemblies)
            refer(assembly);
        provided.OnLoad?.Invoke();
    }

    private ProvidedPackage? Provided(string id) => options.Packages.FirstOrDefault(package => Same(package.Id, id));

    private static bool Same(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    /// <summary>A relative folder would fail in .NET Interactive, and one that is not there would fail every restore to come.</summary>
    private string Check(PackageSource source)
    {
        if (source.Location.Contains("://", StringComparison.Ordinal))
            return source.Location;
        if (!Path.IsPathFullyQualified(source.Location))
            throw new DirectiveException($"#i \"nuget: {source.Location}\": a folder is named by its whole path, here {Path.GetFullPath(source.Location, options.Folder)}", source.Line);
        return Directory.Exists(source.Location) ? source.Location : throw new DirectiveException(
            $"#i \"nuget: {source.Location}\": there is no such folder", source.Line);
    }
}
