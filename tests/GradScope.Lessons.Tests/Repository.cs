using System.Runtime.CompilerServices;

namespace GradScope.Lessons.Tests;

internal static class Repository
{
    /// <summary>The folder of the solution, seen from this file.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", ".."));

    private static string Here([CallerFilePath] string path = "") => path;
}
