namespace GradScope.Notebooks;

/// <summary>The <c>dotnet</c> command.</summary>
internal static class DotNetCommand
{
    /// <summary>The whole path of the one that this process runs under; a bare name, to be looked for, where it runs under none.</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var framework = System.IO.Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var around = System.IO.Path.GetFullPath(System.IO.Path.Combine(framework, "..", "..", "..", name));
        return File.Exists(around) ? around : name;
    }
}
