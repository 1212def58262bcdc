namespace GradScope.Testing;

/// <summary>The browser of this machine.</summary>
public static class Chromium
{
    /// <summary>Where the browser is, or null; a test that needs it says so with <see cref="Tool.Chromium"/>.</summary>
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
