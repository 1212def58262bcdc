using System.Reflection.PortableExecutable;

namespace GradScope.Notebooks;

/// <summary>The frameworks that are installed beside the one that this process runs on.</summary>
internal static class SharedFramework
{
    /// <summary>Whole paths of a framework's assemblies, in its newest version that goes with this process's.</summary>
    /// <param name="name">The framework, for instance Microsoft.AspNetCore.App.</param>
    /// <param name="package">Who needs it.</param>
    /// <exception cref="RestoreException">It is not installed.</exception>
    public static IEnumerable<string> Assemblies(string name, string package)
    {
        var versions = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", name));
        var major = Environment.Version.Major;
        var newest = Directory.Exists(versions)
            ? Directory.GetDirectories(versions, $"{major}.*").MaxBy(folder => Version.TryParse(Path.GetFileName(folder), out var version) ? version : new Version())
            : null;
        return newest is null
            ? throw new RestoreException($"{package}: needs the shared framework {name} {major}, which is not in {versions}; install it (ASP.NET Core comes with the .NET SDK) and run the cell again")
            : Directory.EnumerateFiles(newest, "*.dll").Where(IsManaged);
    }

    private static bool IsManaged(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        return file.HasMetadata;
    }
}
