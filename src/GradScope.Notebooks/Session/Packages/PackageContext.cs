using System.Reflection;
using System.Runtime.Loader;

namespace GradScope.Notebooks;

/// <summary>Loads one session's packages: their assemblies beside the host's own, and the native libraries that those call.</summary>
internal sealed class PackageContext() : AssemblyLoadContext("packages")
{
    private readonly Dictionary<string, string> assemblies = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> libraries = new(StringComparer.Ordinal);

    /// <summary>Whether it is the first of its name.</summary>
    public bool AddAssembly(string path) => assemblies.TryAdd(Path.GetFileNameWithoutExtension(path), path);

    public void AddLibrary(string path) => libraries.TryAdd(Path.GetFileName(path), path);

    protected override Assembly? Load(AssemblyName assemblyName) =>
        assemblies.TryGetValue(assemblyName.Name!, out var path) ? LoadFromAssemblyPath(path) : null;

    /// <summary>A library may be named with or without its prefix and ending.</summary>
    protected override nint LoadUnmanagedDll(string unmanagedDllName)
    {
        var ending = OperatingSystem.IsWindows() ? ".dll" : OperatingSystem.IsMacOS() ? ".dylib" : ".so";
        string[] names = [unmanagedDllName, unmanagedDllName + ending, $"lib{unmanagedDllName}{ending}", $"lib{unmanagedDllName}"];
        return names.FirstOrDefault(libraries.ContainsKey) is { } name ? LoadUnmanagedDllFromPath(libraries[name]) : 0;
    }
}
