using GradScope.Testing;
using GradScope.Testing.Sample;

namespace GradScope.Notebooks.Tests;

public sealed class DirectiveTests
{
    private static readonly ProvidedPackage sample = new("Sample.Package", "1.2.0", [typeof(Library).Assembly], () =>
    {
        Library.Loads++;
        Console.WriteLine("loaded");
    });

    [Fact]
    public async Task A_provided_package_needs_no_restore_and_loads_once()
    {
        using var cells = new Cells(new SessionOptions { Packages = [sample] });
        await cells.ErrorAsync("new GradScope.Testing.Sample.Shape(4)");
        await cells.RunAsync("#r \"nuget: sample.package\"\nnew GradScope.Testing.Sample.Shape(4).Sides");
        Assert.Equal(["stdout: loaded\n", "result: 4"], cells.Shown);
        await cells.RunAsync("#r \"nuget:Sample.Package, 1.2.0\"");
        Assert.Empty(cells.Outputs);
    }

    [Fact]
    public async Task Another_version_of_a_provided_package_is_told_in_one_line()
    {
        using var cells = new Cells(new SessionOptions { Packages = [sample] });
        await cells.RunAsync("#r \"nuget: Sample.Package, 9.0\"\n1");
        Assert.Equal("stderr: Sample.Package 9.0 is asked for; this host carries 1.2.0 and goes on with it.\n", cells.Shown.First());
        Assert.Equal("result: 1", cells.Shown.Last());
    }

    [Theory]
    [InlineData("#r \"nuget: \"")]
    [InlineData("#r \"nuget: Half")]
    public async Task A_directive_that_is_not_well_formed_is_shown_how_to_be_written(string line)
    {
        using var cells = new Cells();
        Assert.Contains("#r \"nuget: Package.Name, 1.2.3\"", (await cells.ErrorAsync(line)).Message);
    }

    [Fact]
    public async Task An_assembly_is_referred_to_by_path()
    {
        using var cells = new Cells();
        var path = typeof(Library).Assembly.Location.Replace('\\', '/');
        Assert.Equal("5", await cells.ValueAsync($"#r \"{path}\"\nnew GradScope.Testing.Sample.Shape(5).Sides"));
    }

    [Fact]
    public async Task A_script_is_loaded_from_the_sessions_folder()
    {
        using var scratch = new Scratch();
        scratch.Write("helper.csx", "int Answer() => 42;");
        using var cells = new Cells(new SessionOptions { Folder = scratch.Folder });
        Assert.Equal("42", await cells.ValueAsync("#load \"helper.csx\"\nAnswer()"));
    }

    [Fact]
    public async Task Languages_take_turns_in_one_cell_and_lines_still_count()
    {
        using var cells = new Cells();
        var error = await cells.ErrorAsync("var a = 1;\n#!markdown\n# Title\n#!html\n<b>x</b>\n#!csharp\na.Nope()");
        Assert.Equal(7, error.Line);
        Assert.Equal(["text/markdown=# Title", "text/html=<b>x</b>"],
            cells.Outputs.OfType<CellOutput.Display>().Select(output => $"{output.Data.First().Key}={output.Data.First().Value}"));
    }

    [Fact]
    public async Task Time_is_told_after_the_cell()
    {
        using var cells = new Cells();
        await cells.RunAsync("#!time\nConsole.Write(1);");
        Assert.Equal("stdout: 1", cells.Shown.First());
        Assert.Matches(@"^display: Wall time: \d+(\.\d)? ms$", cells.Shown.Last());
    }

    [Theory]
    [InlineData("#!fsharp\nlet x = 1", "#!fsharp")]
    [InlineData("#!lsmagic", "#!lsmagic")]
    [InlineData("#!/usr/bin/env dotnet", "#!/usr/bin/env")]
    public async Task Unknown_magics_are_refused_by_name(string code, string name)
    {
        using var cells = new Cells();
        var error = await cells.ErrorAsync(code);
        Assert.Equal($"{name} is not known here: this host runs C# cells and has #!csharp, #!markdown, #!html, #!import, #!time", error.Message);
        Assert.Equal(1, error.Line);
    }

    [Fact]
    public async Task An_unknown_magic_keeps_the_whole_cell_from_running()
    {
        using var cells = new Cells();
        Assert.Equal(2, (await cells.ErrorAsync("Console.WriteLine(\"ran\");\n#!nope")).Line);
        Assert.Single(cells.Outputs);
    }

    [Fact]
    public async Task A_cell_may_add_a_magic_and_what_that_throws_is_its_lines_error()
    {
        using var cells = new Cells();
        await cells.RunAsync("GradScope.Notebooks.CellContext.Current.Magics.Add(\"check\", async text => { await Task.Yield(); if (text.Length > 3) throw new ArgumentException($\"{text} is too long\"); Console.WriteLine(text); });");
        await cells.RunAsync("#!check abc\n#!check   d  ");
        Assert.Equal(["stdout: abc\nd\n"], cells.Shown);
        var error = await cells.ErrorAsync("\n#!check long");
        Assert.Equal(("ArgumentException", "long is too long", 2), (error.Name, error.Message, error.Line));
        Assert.EndsWith("#!import, #!time, #!check", (await cells.ErrorAsync("#!chekc")).Message);
    }

    [Theory]
    [InlineData("time")]
    [InlineData("two words")]
    [InlineData("")]
    public void A_magic_cannot_take_the_name_of_one_that_is_there(string name) =>
        Assert.Throws<ArgumentException>(() => new MagicCommands().Add(name, _ => Task.CompletedTask));
}
