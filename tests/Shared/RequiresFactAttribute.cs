using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace GradScope.Testing;

/// <summary>
/// A test that needs a tool of the machine. Where the tool is missing the test is reported as skipped, with the line that
/// installs it; with GRADSCOPE_REQUIRE_ALL=1 it runs all the same, and so fails.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresFactAttribute : FactAttribute
{
    public RequiresFactAttribute(params string[] tools)
    {
        var missing = Environment.GetEnvironmentVariable("GRADSCOPE_REQUIRE_ALL") == "1"
            ? []
            : tools.Select(Tool.Find).Where(tool => !tool.IsThere).ToList();
        if (missing.Count > 0)
            Skip = $"needs {string.Join(" and ", missing.Select(tool => tool.Name))}: {string.Join("; ", missing.GroupBy(tool => tool.Installer).Select(group => $"{group.Key} {string.Join(' ', group.Select(tool => tool.Package).Distinct())}"))}";
    }
}

/// <summary>The same for a test with several cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresTheoryAttribute : TheoryAttribute
{
    public RequiresTheoryAttribute(params string[] tools) => Skip = new RequiresFactAttribute(tools).Skip;
}

/// <summary>A program or package that tests use, and what brings it: a Debian package unless another installer is named.</summary>
public sealed record Tool(string Name, string Package, Func<bool> Probe, string Installer = "sudo apt-get install -y")
{
    /// <summary>Debian's own Python: one from elsewhere on the path does not see Debian's packages.</summary>
    public const string Python = "/usr/bin/python3";

    public const string PlainPython = "python3", NbFormat = "nbformat", NbClient = "nbclient", NbConvert = "nbconvert", JupyterClient = "jupyter_client", Chromium = "chromium";
    public const string Node = "node", TypeScript = "TypeScript", AxeCore = "axe-core";

    /// <summary>Where the script's tests are, with the packages of npm that they use.</summary>
    public static string ScriptFolder { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", "GradScope.Figures.Tests"));

    /// <summary>TypeScript's compiler, for node.</summary>
    public static string TypeScriptCompiler { get; } = Path.Combine(ScriptFolder, "node_modules", "typescript", "bin", "tsc");

    /// <summary>axe-core's script, for a page.</summary>
    public static string AxeScript { get; } = Path.Combine(ScriptFolder, "node_modules", "axe-core", "axe.min.js");

    private static readonly Dictionary<string, Lazy<Tool>> known = new List<Tool>
    {
        new(PlainPython, "python3", () => File.Exists(Python)),
        new(NbFormat, "python3-nbformat", () => Imports(NbFormat)),
        new(NbClient, "python3-nbclient", () => Imports(NbClient)),
        new(NbConvert, "jupyter-nbconvert", () => Imports(NbConvert)),
        new(JupyterClient, "python3-jupyter-client", () => Imports(JupyterClient)),
        new(Chromium, "chromium", () => GradScope.Testing.Chromium.Find() is not null),
        new(Node, "nodejs", () => IsOnPath("node")),
        new(TypeScript, "tests/GradScope.Figures.Tests", () => File.Exists(TypeScriptCompiler), "npm ci --prefix"),
        new(AxeCore, "tests/GradScope.Figures.Tests", () => File.Exists(AxeScript), "npm ci --prefix"),
    }.ToDictionary(tool => tool.Name, tool => new Lazy<Tool>(tool));

    private readonly Lazy<bool> isThere = new(Probe);

    public bool IsThere => isThere.Value;

    public static Tool Find(string name) => known[name].Value;

    /// <summary>Runs a program to its end and gives what it printed; fails the test where the program fails.</summary>
    public static string Run(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{error.Result}\n{output}");
        return output;
    }

    private static bool IsOnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, program + ".exe")));

    private static string Here([CallerFilePath] string path = "") => path;

    private static bool Imports(string module)
    {
        if (!File.Exists(Python))
            return false;
        using var process = Start(Python, ["-c", $"import {module}"]);
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static Process Start(string program, IEnumerable<string> arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
