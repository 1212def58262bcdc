using System.Text.Json.Nodes;
using GradScope.Cli;
using GradScope.Testing;

namespace GradScope.Jupyter.Tests;

public sealed class KernelSpecsTests : IDisposable
{
    private readonly Scratch scratch = new();
    private readonly string? before = Environment.GetEnvironmentVariable("JUPYTER_DATA_DIR");

    public KernelSpecsTests() => Environment.SetEnvironmentVariable("JUPYTER_DATA_DIR", User);

    private string User => Path.Combine(scratch.Folder, "user");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("JUPYTER_DATA_DIR", before);
        scratch.Dispose();
    }

    [Fact]
    public async Task Install_writes_the_kernel_and_the_name_that_lessons_have()
    {
        var output = await RunAsync("install");
        Assert.Contains("Installed gradscope, \"C# (GradScope)\"", output);
        Assert.Contains("Installed .net-csharp, \".NET (C#)\"", output);
        Assert.Equal([".net-csharp/kernel.json", "gradscope/kernel.json"], Files(User));
        foreach (var (name, display) in new[] { ("gradscope", "C# (GradScope)"), (".net-csharp", ".NET (C#)") })
        {
            var spec = Read(Path.Combine(User, "kernels", name, "kernel.json"));
            Assert.Equal((display, "C#", "message"), ((string?)spec["display_name"], (string?)spec["language"], (string?)spec["interrupt_mode"]));
            var argv = spec["argv"]!.AsArray().Select(word => (string)word!).ToList();
            Assert.Equal(["kernel", "{connection_file}"], argv.TakeLast(2));
            Assert.All(argv.SkipLast(2), word => Assert.True(Path.IsPathFullyQualified(word) && File.Exists(word), word));
            var root = (string)spec["env"]!["DOTNET_ROOT"]!;
            Assert.True(Directory.Exists(Path.Combine(root, "shared", "Microsoft.NETCore.App")), root);
            Assert.Contains(root, ((string)spec["env"]!["PATH"]!).Split(Path.PathSeparator));
            Assert.Null(spec["metadata"]!["vscode"]);
        }
    }

    [Fact]
    public async Task Installing_again_renews_what_is_ours()
    {
        await RunAsync("install");
        var file = Path.Combine(User, "kernels", ".net-csharp", "kernel.json");
        var spec = Read(file);
        spec["argv"] = new JsonArray("old");
        File.WriteAllText(file, spec.ToJsonString());
        await RunAsync("install");
        Assert.Equal("{connection_file}", (string?)Read(file)["argv"]!.AsArray()[^1]);
    }

    [Theory]
    [InlineData("{\"argv\":[\"dotnet-interactive\"],\"display_name\":\".NET (C#)\"}")]
    [InlineData("nothing that can be read")]
    public async Task Another_kernel_of_the_alias_s_name_stays(string other)
    {
        var file = scratch.Write("user/kernels/.net-csharp/kernel.json", other);
        var output = await RunAsync("install");
        Assert.Contains("Another kernel is named .net-csharp and stays", output);
        Assert.Equal(other, File.ReadAllText(file));
        Assert.Contains("not GradScope's", await RunAsync("list"));
        await RunAsync("uninstall");
        Assert.Equal([".net-csharp/kernel.json"], Files(User));
    }

    [Fact]
    public async Task The_alias_does_not_hide_a_kernel_elsewhere_on_the_machine()
    {
        scratch.Write("user/kernels/.net-csharp/kernel.json", "{}");
        var prefix = Path.Combine(scratch.Folder, "env");
        await RunAsync("install", "--prefix", prefix);
        Assert.Equal(["gradscope/kernel.json"], Files(Path.Combine(prefix, "share", "jupyter")));
    }

    [Fact]
    public async Task A_prefix_is_installed_to_listed_and_cleaned()
    {
        var prefix = Path.Combine(scratch.Folder, "env");
        Assert.Contains("Not installed", await RunAsync("list", "--prefix", prefix));
        await RunAsync("install", "--prefix", prefix);
        Assert.Equal([".net-csharp/kernel.json", "gradscope/kernel.json"], Files(Path.Combine(prefix, "share", "jupyter")));
        Assert.False(Directory.Exists(User));
        Assert.Contains(Path.Combine(prefix, "share", "jupyter", "kernels", "gradscope"), await RunAsync("list", "--prefix", prefix));
        Assert.Contains("Removed gradscope", await RunAsync("uninstall", "--prefix", prefix));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(prefix, "share", "jupyter", "kernels")));
        Assert.Contains("Nothing of GradScope's", await RunAsync("uninstall", "--prefix", prefix));
    }

    [Fact]
    public async Task Uninstall_leaves_what_others_put_beside_ours()
    {
        await RunAsync("install");
        scratch.Write("user/kernels/gradscope/logo-64x64.png", "theirs");
        scratch.Write("user/kernels/python3/kernel.json", "{}");
        await RunAsync("uninstall");
        Assert.Equal(["gradscope/logo-64x64.png", "python3/kernel.json"], Files(User));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_to_is_told()
    {
        var file = scratch.Write("file", "");
        using var error = new StringWriter();
        Assert.Equal(2, await CommandLine.InvokeAsync(["jupyter", "install", "--prefix", file], TextWriter.Null, error));
        Assert.Contains("Name a folder that you may write to with --prefix", error.ToString());
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal((0, ""), (await CommandLine.InvokeAsync(["jupyter", .. arguments], output, error), error.ToString()));
        return output.ToString();
    }

    private static IEnumerable<string> Files(string data)
    {
        var kernels = Path.Combine(data, "kernels");
        return Directory.EnumerateFiles(kernels, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(kernels, file).Replace('\\', '/')).Order(StringComparer.Ordinal);
    }

    private static JsonObject Read(string file) => JsonNode.Parse(File.ReadAllText(file))!.AsObject();
}
