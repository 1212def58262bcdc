namespace GradScope.Testing;

/// <summary>Where the sources are that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "GradScope.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("GradScope.sln was not found above the tests; run them from a clone.");
    }
}
