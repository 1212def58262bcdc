using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace GradScope.Notebooks;

/// <summary>A kernel that Jupyter clients find by its name in the folder of that name.</summary>
/// <param name="Name">What notebooks name it by.</param>
/// <param name="Folder">Where its kernel.json lies.</param>
/// <param name="DisplayName">What a menu shows.</param>
/// <param name="IsOurs">Whether it was installed by this tool.</param>
public sealed record KernelSpec(string Name, string Folder, string DisplayName, bool IsOurs);

/// <summary>
/// Tells Jupyter of this kernel, by a file in a folder where it looks. What is not ours is never touched.
/// </summary>
/// <param name="dataFolder">A Jupyter data folder, which holds a folder <c>kernels</c>.</param>
public sealed class KernelSpecs(string dataFolder)
{
    /// <summary>The kernel's own name.</summary>
    public const string Name = "gradscope";

    /// <summary>What .NET Interactive calls its C# kernel, and so what lesson files name.</summary>
    public const string Alias = ".net-csharp";

    private const string File = "kernel.json", Mark = "gradscope";

    private static readonly JsonSerializerOptions readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The folder that is installed to and removed from.</summary>
    public string Folder => Path.Combine(dataFolder, "kernels");

    /// <summary>The data folder of a user: JUPYTER_DATA_DIR, or else where Jupyter has it on this system.</summary>
    public static string UserDataFolder
    {
        get
        {
            if (Variable("JUPYTER_DATA_DIR") is { } own)
                return own;
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            if (OperatingSystem.IsWindows())
                return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "jupyter");
            return OperatingSystem.IsMacOS()
                ? Path.Combine(home, "Library", "Jupyter")
                : Path.Combine(Variable("XDG_DATA_HOME") ?? Path.Combine(home, ".local", "share"), "jupyter");
        }
    }

    /// <summary>The data folder below a prefix, such as that of a Python environment.</summary>
    public static string DataFolderOf(string prefix) => Path.GetFullPath(Path.Combine(prefix, "share", "jupyter"));

    /// <summary>
    /// Every place of this machine where a Jupyter client looks for kernels, as far as that can be known without asking its
    /// Python: JUPYTER_PATH, the user's, those of the active environment and of the system.
    /// </summary>
    public static IReadOnlyList<string> AllDataFolders
    {
        get
        {
            string?[] prefixes = [Variable("VIRTUAL_ENV"), Variable("CONDA_PREFIX"), .. OperatingSystem.IsWindows() ? Array.Empty<string>() : ["/usr/local", "/usr"]];
            var system = OperatingSystem.IsWindows() ? [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "jupyter")] : Array.Empty<string>();
            return [.. (Variable("JUPYTER_PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .Append(UserDataFolder)
                .Concat(prefixes.OfType<string>().Select(DataFolderOf))
                .Concat(system)
                .Distinct()];
        }
    }

    /// <summary>
    /// Writes the kernel, and beside it its alias unless a kernel of that name that is not ours is there or in one of
    /// <paramref name="elsewhere"/>. What is ours already is renewed.
    /// </summary>
    /// <param name="command">The command that starts a kernel, up to its connection file; whole paths.</param>
    /// <param name="elsewhere">Other data folders whose kernels the alias must not hide.</param>
    /// <returns>What was written.</returns>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    public IReadOnlyList<KernelSpec> Install(IReadOnlyList<string> command, IEnumerable<string> elsewhere)
    {
        var installed = new List<KernelSpec> { Write(Name, "C# (GradScope)", command) };
        var foreign = elsewhere.Append(dataFolder).Select(folder => Find(folder, Alias)).FirstOrDefault(spec => spec is { IsOurs: false });
        if (foreign is null)
            installed.Add(Write(Alias, ".NET (C#)", command));
        return installed;
    }

    /// <summary>Removes what <see cref="Install"/> has written here, and nothing else.</summary>
    /// <returns>What was removed.</returns>
    public IReadOnlyList<KernelSpec> Uninstall()
    {
        var removed = List().Where(spec => spec.IsOurs).ToList();
        foreach (var spec in removed)
        {
            System.IO.File.Delete(Path.Combine(spec.Folder, File));
            if (!Directory.EnumerateFileSystemEntries(spec.Folder).Any())
                Directory.Delete(spec.Folder);
        }
        return removed;
    }

    /// <summary>The kernels of this folder that are ours, and whatever has the alias's name.</summary>
    public IReadOnlyList<KernelSpec> List() => [.. new[] { Name, Alias }.Select(name => Find(dataFolder, name)).OfType<KernelSpec>()];

    private KernelSpec Write(string name, string displayName, IReadOnlyList<string> command)
    {
        var root = DotnetRoot();
        var path = Variable("PATH") ?? "";
        var spec = new JsonObject
        {
            ["argv"] = new JsonArray([.. command.Append("{connection_file}").Select(word => JsonValue.Create(word))]),
            ["display_name"] = displayName,
            ["language"] = "C#",
            ["interrupt_mode"] = "message",
            ["env"] = new JsonObject
            {
                ["DOTNET_ROOT"] = root,
                ["PATH"] = path.Split(Path.PathSeparator).Contains(root) ? path : $"{root}{Path.PathSeparator}{path}",
            },
            ["metadata"] = new JsonObject { [Mark] = new JsonObject { ["version"] = Version } },
        };
        var folder = Path.Combine(Folder, name);
        AtomicFile.WriteAllText(Path.Combine(folder, File), spec.ToJsonString(readable) + "\n");
        return new(name, folder, displayName, IsOurs: true);
    }

    private static KernelSpec? Find(string dataFolder, string name)
    {
        var folder = Path.Combine(dataFolder, "kernels", name);
        var file = Path.Combine(folder, File);
        if (!System.IO.File.Exists(file))
            return null;
        try
        {
            var spec = JsonNode.Parse(System.IO.File.ReadAllText(file));
            return new(name, folder, (string?)spec?["display_name"] ?? name, IsOurs: spec?["metadata"]?[Mark] is not null);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return new(name, folder, name, IsOurs: false);
        }
    }

    /// <summary>Where the runtime of this process lies, as <c>root/shared/Microsoft.NETCore.App/version</c>.</summary>
    private static string DotnetRoot() => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    private static string Version { get; } = typeof(KernelSpecs).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
