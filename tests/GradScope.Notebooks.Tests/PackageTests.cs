using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace GradScope.Notebooks.Tests;

public sealed class PackageTests : IDisposable
{
    private const string One = "public static class One { public static string Version => \"1\"; }", Two = "public static class One { public static string Version => \"2\"; }";

    private readonly PackageFeed feed = new();
    private readonly Cells cells;

    public PackageTests() => cells = new(feed.Options);

    public void Dispose()
    {
        cells.Dispose();
        feed.Dispose();
    }

    [Theory]
    [InlineData("Test.One, 1.0.0", "1")]
    [InlineData("test.one, [1.0,2.0)", "1")]
    [InlineData("Test.One", "2")]
    [InlineData("Test.One, *", "2")]
    [InlineData("Test.One, 2.*", "2")]
    public async Task A_package_is_restored_in_the_version_asked_for(string request, string version)
    {
        feed.Add("Test.One", "1.0.0", One);
        feed.Add("Test.One", "2.0.0", Two);
        Assert.Equal(version, await cells.ValueAsync($"#r \"nuget: {request}\"\nOne.Version"));
        Assert.Equal($"update: Packages: Test.One {version}.0.0", cells.Shown.ElementAt(1), ignoreCase: true);
    }

    [Fact]
    public async Task Several_packages_come_with_what_they_need_and_lines_still_count()
    {
        feed.Add("Test.One", "1.0.0", One);
        feed.Add("Test.Needed", "1.0.0", "public static class Needed { public static int Value => 7; }");
        feed.Add("Test.Needs", "1.0.0", "public static class Needs { }", needs: ["Test.Needed 1.0.0"]);
        var error = await cells.ErrorAsync("#r \"nuget: Test.One, 1.0.0\"\n#r \"nuget: Test.Needs, 1.0.0\"\nConsole.Write(One.Version + Needed.Value);\nthrow new Exception();");
        Assert.Equal(4, error.Line);
        Assert.Contains("stdout: 17", cells.Shown);
    }

    [Fact]
    public async Task The_second_time_needs_no_sdk_and_tells_the_same()
    {
        feed.Add("Test.One", "1.0.0", One);
        await cells.RunAsync("#r \"nuget: Test.One, 1.0.0\"\nOne.Version");
        var first = cells.Shown.ToList();
        Directory.Delete(feed.Source, recursive: true);
        using var later = new Cells(feed.Options);
        await later.RunAsync("#r \"nuget: Test.One, 1.0.0\"\nOne.Version");
        Assert.Equal(first, later.Shown);
        Assert.Single(Directory.GetFileSystemEntries(feed.Cache));
    }

    [Fact]
    public async Task The_newest_is_looked_for_again_after_a_day_and_kept_where_that_fails()
    {
        feed.Add("Test.One", "1.0.0", One);
        Assert.Equal("1", await NewestAsync());
        feed.Add("Test.One", "2.0.0", Two);
        Assert.Equal("1", await NewestAsync());
        File.SetLastWriteTimeUtc(Directory.GetFiles(feed.Cache).Single(), DateTime.UtcNow.AddDays(-2));
        Assert.Equal("2", await NewestAsync());
        Directory.Delete(feed.Source, recursive: true);
        File.SetLastWriteTimeUtc(Directory.GetFiles(feed.Cache).Single(), DateTime.UtcNow.AddDays(-2));
        Assert.Equal("2", await NewestAsync());

        async Task<string> NewestAsync()
        {
            using var own = new Cells(feed.Options);
            return await own.ValueAsync("#r \"nuget: Test.One\"\nOne.Version");
        }
    }

    [Fact]
    public async Task Packages_whose_files_were_cleared_are_restored_again()
    {
        feed.Add("Test.One", "1.0.0", One);
        await cells.RunAsync("#r \"nuget: Test.One, 1.0.0\"");
        Directory.Delete(feed.Unpacked, recursive: true);
        using var later = new Cells(feed.Options);
        Assert.Equal("1", await later.ValueAsync("#r \"nuget: Test.One, 1.0.0\"\nOne.Version"));
    }

    [Fact]
    public async Task A_package_asked_for_again_changes_nothing_and_another_version_is_refused()
    {
        feed.Add("Test.One", "1.0.0", One);
        await cells.RunAsync("#r \"nuget: Test.One\"");
        await cells.RunAsync("#r \"nuget: Test.One\"");
        Assert.Empty(cells.Outputs);
        await cells.RunAsync("#r \"nuget: Test.One, 1.0.0\"");
        Assert.Empty(cells.Outputs);
        var error = await cells.ErrorAsync("#r \"nuget: Test.One, 2.0.0\"");
        Assert.Equal("Test.One is here in version 1.0.0 already; restart the session to use 2.0.0", error.Message);
    }

    [Fact]
    public async Task A_source_may_be_added_by_its_whole_path()
    {
        var other = Directory.CreateDirectory(Path.Combine(feed.Folder, "other")).FullName;
        feed.Add("Test.One", "1.0.0", One, folder: other);
        var relative = await cells.ErrorAsync("#i \"nuget: other\"");
        Assert.Equal($"#i \"nuget: other\": a folder is named by its whole path, here {other}", relative.Message);
        Assert.Contains("there is no such folder", (await cells.ErrorAsync($"#i \"nuget: {other}/gone\"")).Message);
        Assert.Equal("1", await cells.ValueAsync($"#i \"nuget:{other}\"\n#r \"nuget: Test.One, 1.0.0\"\nOne.Version"));
    }

    [Fact]
    public async Task A_native_library_is_found()
    {
        if (!OperatingSystem.IsLinux())
            return;
        var library = Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "libSystem.Native.so");
        feed.Add("Test.Native", "1.0.0", """
            public static class Native
            {
                [System.Runtime.InteropServices.DllImport("renamed", EntryPoint = "SystemNative_GetPid")]
                public static extern int GetPid();
            }
            """, library: (library, "librenamed.so"));
        Assert.Equal($"{Environment.ProcessId}", await cells.ValueAsync("#r \"nuget: Test.Native, 1.0.0\"\nNative.GetPid()"));
    }

    [Fact]
    public async Task Texts_in_another_language_are_found()
    {
        using var words = new MemoryStream();
        using (var writer = new System.Resources.ResourceWriter(words))
        {
            writer.AddResource("Hello", "Guten Tag");
            writer.Generate();
            var german = CSharpCompilation.Create("Test.Words.resources", [CSharpSyntaxTree.ParseText("[assembly: System.Reflection.AssemblyCulture(\"de\")]")],
                [MetadataReference.CreateFromFile(typeof(object).Assembly.Location)], new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
            using var assembly = new MemoryStream();
            Assert.True(german.Emit(assembly, manifestResources: [new("Words.de.resources", () => new MemoryStream(words.ToArray()), isPublic: true)]).Success);
            feed.Add("Test.Words", "1.0.0", """
                public static class Words
                {
                    public static string Hello => new System.Resources.ResourceManager("Words", typeof(Words).Assembly).GetString("Hello", new System.Globalization.CultureInfo("de-AT"));
                }
                """, satellite: ("de", assembly.ToArray()));
        }
        Assert.Equal("Guten Tag", await cells.ValueAsync("#r \"nuget: Test.Words, 1.0.0\"\nWords.Hello"));
    }

    [Fact]
    public async Task A_shared_framework_that_a_package_needs_is_taken_from_where_it_is_installed()
    {
        feed.Add("Test.Web", "1.0.0", One, framework: "Microsoft.AspNetCore.App");
        if (Directory.Exists(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", "Microsoft.AspNetCore.App")))
            Assert.Equal("/a", await cells.ValueAsync("#r \"nuget: Test.Web, 1.0.0\"\nnew Microsoft.AspNetCore.Http.PathString(\"/a\").Value"));
        else
            Assert.Contains("Test.Web: needs the shared framework Microsoft.AspNetCore.App", (await cells.ErrorAsync("#r \"nuget: Test.Web, 1.0.0\"")).Message);
    }

    [Fact]
    public async Task A_shared_framework_that_is_not_installed_is_named()
    {
        feed.Add("Test.Desktop", "1.0.0", One, framework: "Test.Nowhere.App");
        var error = await cells.ErrorAsync("#r \"nuget: Test.Desktop, 1.0.0\"");
        Assert.StartsWith("Test.Desktop: needs the shared framework Test.Nowhere.App 10, which is not in ", error.Message);
        Assert.True((await cells.RunAsync("1")).Succeeded);
    }

    [Fact]
    public async Task An_extension_runs_before_the_rest_of_the_cell_also_that_of_a_package_needed()
    {
        feed.Add("Test.Inner", "1.0.0", "public static class Inner { public static int Count; }",
            extension: "#!csharp\nInner.Count++;\nGradScope.Notebooks.CellContext.Current.Magics.Add(\"shout\", text => { Console.WriteLine(text.ToUpper()); return Task.CompletedTask; });\n#!markdown\nnot shown\n#!csharp\nConsole.WriteLine(\"inner\");");
        feed.Add("Test.Outer", "1.0.0", "public static class Outer { }", needs: ["Test.Inner 1.0.0"], extension: "#!csharp\nvar leaked = 5;\nConsole.WriteLine(\"outer\");");
        await cells.RunAsync("Console.WriteLine(leaked + Inner.Count);\n#r \"nuget: Test.Outer, 1.0.0\"\n#!shout  hello\nConsole.WriteLine(\"end\");");
        Assert.Equal("stdout: inner\nouter\n6\nHELLO\nend\n", cells.Shown.Last());
        await cells.RunAsync("#r \"nuget: Test.Outer, 1.0.0\"\nConsole.WriteLine(Inner.Count);");
        Assert.Equal(["stdout: 1\n"], cells.Shown);
    }

    [Theory]
    [InlineData("nope", "cell 1, line 1, column 1: CS0103")]
    [InlineData("throw new Exception(\"swallowed elsewhere\");", "System.Exception: swallowed elsewhere")]
    public async Task An_extension_that_fails_is_shown_and_the_cell_goes_on(string code, string message)
    {
        feed.Add("Test.One", "1.0.0", One, extension: $"#!csharp\n{code}");
        var result = await cells.RunAsync("#r \"nuget: Test.One, 1.0.0\"\nOne.Version");
        Assert.True(result.Succeeded);
        var told = cells.Shown.Single(shown => shown.StartsWith("stderr: A package's extension failed: ", StringComparison.Ordinal));
        Assert.Contains(message, told);
        Assert.Equal("result: 1", cells.Shown.Last());
    }

    [Fact]
    public async Task What_the_host_provides_stays_the_hosts_own()
    {
        var provided = new ProvidedPackage("Test.Host", "5.0.0", [typeof(GradScope.Testing.Sample.Library).Assembly], () => Console.WriteLine("host's own"));
        feed.Add("Test.Host", "1.0.0", "public static class Imposter { }", extension: "#!csharp\nConsole.WriteLine(\"imposter\");");
        feed.Add("Test.Needs", "1.0.0", "public static class Needs { }", needs: ["Test.Host 1.0.0"]);
        feed.Add("Microsoft.DotNet.Interactive.Formatting", "9.0.0", "namespace Microsoft.DotNet.Interactive.Formatting { public static class Formatter { } }");
        using var own = new Cells(feed.Options with { Packages = [provided] });
        Assert.Equal("3", await own.ValueAsync("#r \"nuget: Test.Needs, 1.0.0\"\n#r \"nuget: Microsoft.DotNet.Interactive.Formatting\"\nnew GradScope.Testing.Sample.Shape(3).Sides"));
        Assert.Contains(own.Shown, shown => shown.Contains("host's own", StringComparison.Ordinal));
        Assert.DoesNotContain(own.Shown, shown => shown.Contains("imposter", StringComparison.Ordinal));
        Assert.Equal("True", await own.ValueAsync($"typeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly.Location == {Quote(typeof(Microsoft.DotNet.Interactive.Formatting.Formatter).Assembly.Location)}"));
    }

    [Theory]
    [InlineData("Test.Nowhere, 1.0.0", "Test.Nowhere 1.0.0: not restored. NU1101: Unable to find package Test.Nowhere. No packages exist with this id in source(s): feed. Look at the name and the version, or add a source with #i \"nuget: …\".")]
    [InlineData("Test.One, 9.0.0", "Test.One 9.0.0: not restored. NU1102: Unable to find package Test.One with version (>= 9.0.0)")]
    [InlineData("Test.One, [3", "Test.One [3: not restored.")]
    public async Task A_package_that_does_not_exist_is_told_and_the_session_goes_on(string request, string message)
    {
        feed.Add("Test.One", "1.0.0", One);
        var error = await cells.ErrorAsync($"var a = 1;\n#r \"nuget: {request}\"");
        Assert.Equal(("DirectiveError", 2), (error.Name, error.Line));
        Assert.StartsWith(message, error.Message);
        Assert.Equal("1", await cells.ValueAsync("#r \"nuget: Test.One, 1.0.0\"\nOne.Version"));
        Assert.Single(Directory.GetFileSystemEntries(feed.Cache));
    }

    [Fact]
    public async Task A_registry_that_cannot_be_reached_is_told_with_its_address()
    {
        var error = await cells.ErrorAsync("#i \"nuget: https://127.0.0.1:9/index.json\"\n#r \"nuget: Test.One, 1.0.0\"");
        Assert.Contains("NU1301", error.Message);
        Assert.Contains("https://127.0.0.1:9/index.json", error.Message);
        Assert.True((await cells.RunAsync("1")).Succeeded);
    }

    [Fact]
    public async Task A_restore_can_be_stopped_and_leaves_nothing()
    {
        using var stop = new CancellationTokenSource();
        var run = cells.RunAsync("#r \"nuget: Test.One, 1.0.0\"", stop: stop.Token);
        while (!Directory.Exists(feed.Cache) && !run.IsCompleted)
            await Task.Delay(5);
        stop.Cancel();
        Assert.True((await run).WasStopped);
        var clock = Stopwatch.StartNew();
        while (Directory.EnumerateFileSystemEntries(feed.Cache).Any() && clock.Elapsed < TimeSpan.FromSeconds(30))
            await Task.Delay(5);
        Assert.Empty(Directory.GetFileSystemEntries(feed.Cache));
        Assert.True((await cells.RunAsync("1")).Succeeded);
    }

    private static string Quote(string text) => $"@\"{text}\"";
}
