namespace GradScope.Tests;

/// <summary>A test that needs Chromium: skipped, with the line that installs it, where there is none; failing instead with GRADSCOPE_REQUIRE_ALL=1.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresChromiumFactAttribute : FactAttribute
{
    public RequiresChromiumFactAttribute()
    {
        if (Chromium.Find() is null && Environment.GetEnvironmentVariable("GRADSCOPE_REQUIRE_ALL") != "1")
        {
            Skip = Chromium.Remedy;
        }
    }
}

/// <summary>The same for a test with several cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresChromiumTheoryAttribute : TheoryAttribute
{
    public RequiresChromiumTheoryAttribute() => Skip = new RequiresChromiumFactAttribute().Skip;
}

/// <summary>The browser of this machine.</summary>
public static class Chromium
{
    public const string Remedy = "Chromium was not found; on Debian: apt-get install -y chromium";

    /// <summary>Where the browser is, or null.</summary>
    public static string? Find()
    {
        string[] names = OperatingSystem.IsWindows()
            ? ["chrome.exe", "chromium.exe", "msedge.exe"]
            : ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
        string[] usual = OperatingSystem.IsMacOS()
            ? ["/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
            : [@"C:\Program Files\Google\Chrome\Application\chrome.exe", @"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe"];
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return folders.SelectMany(folder => names.Select(name => Path.Combine(folder, name))).Concat(usual).FirstOrDefault(File.Exists);
    }
}
