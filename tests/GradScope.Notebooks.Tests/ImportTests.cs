using GradScope.Testing;
using GradScope.Testing.Sample;

namespace GradScope.Notebooks.Tests;

public sealed class ImportTests : IDisposable
{
    private readonly Scratch scratch = new();
    private readonly Cells cells;

    public ImportTests() => cells = new(new SessionOptions { Folder = scratch.Folder });

    public void Dispose()
    {
        cells.Dispose();
        scratch.Dispose();
    }

    [Theory]
    [InlineData("helper.csx", "int Answer() => 42;\nConsole.WriteLine(\"in\");")]
    [InlineData("helper.csx", "#!/usr/bin/env dotnet-script\nint Answer() => 42;\nConsole.WriteLine(\"in\");")]
    [InlineData("helper.cs", "public static class Helper { public static int Answer() => 42; }\nint Answer() => Helper.Answer();\nConsole.WriteLine(\"in\");")]
    [InlineData("helper.dib", "#!markdown\n# not shown\n#!csharp\nint Answer() => 42;\n#!csharp\nConsole.WriteLine(\"in\");")]
    public async Task A_file_is_imported_where_the_line_stands(string name, string text)
    {
        scratch.Write(name, text);
        await cells.RunAsync($"Console.WriteLine(\"before\");\n#!import {name}\nConsole.WriteLine(Answer());");
        Assert.Equal(["stdout: before\nin\n42\n"], cells.Shown);
    }

    [Fact]
    public async Task A_notebook_is_imported_with_its_values_shown_and_its_paths_its_own()
    {
        scratch.Write("lib/inner.csx", "int Inner() => 5;");
        NotebookDocument.Create("helper", [(CellKind.Markdown, "# text", null), (CellKind.Code, "#!import inner.csx", null), (CellKind.Code, "Inner()", null)])
            .Save(Path.Combine(scratch.Folder, "lib", "helper.ipynb"));
        await cells.RunAsync("#!import \"lib/helper.ipynb\"\nInner() + 1");
        Assert.Equal(["display: 5", "result: 6"], cells.Shown);
    }

    [Theory]
    [InlineData("bad.csx", "int a = 1;\n\nnope", "bad.csx, line 3: CS0103: The name 'nope' does not exist in the current context")]
    [InlineData("bad.dib", "var a = 1;\n#!csharp\n\nthrow new Exception(\"broken\");", "bad.dib cell 2, line 1: broken")]
    [InlineData("bad.csx", "1 + 1\n#!nope", "bad.csx, line 2: #!nope is not known here: this host runs C# cells and has #!csharp, #!markdown, #!html, #!import, #!time")]
    [InlineData("bad.dib", "#!fsharp\nlet x = 1", "bad.dib cell 1, line 1: this host runs C#, Markdown and HTML cells, not fsharp; write the cell in one of these")]
    [InlineData("bad.csx", "#!import bad.csx", "bad.csx, line 1: #!import bad.csx: the file imports itself")]
    public async Task What_fails_in_an_imported_file_names_the_file_and_the_line_of_the_import(string name, string text, string message)
    {
        scratch.Write(name, text);
        var error = await cells.ErrorAsync($"var x = 1;\n#!import {name}");
        Assert.Equal((message, 2), (error.Message, error.Line));
    }

    [Fact]
    public async Task An_exception_in_an_imported_function_is_traced_through_both()
    {
        scratch.Write("helper.csx", "\nint Fail() =>\n    throw new InvalidOperationException(\"deep\");");
        var error = await cells.ErrorAsync("#!import helper.csx\n\nFail()");
        Assert.Equal(("deep", 3), (error.Message, error.Line));
        Assert.Equal(["   at Fail in helper.csx, line 3: throw new InvalidOperationException(\"deep\");", "   at cell 1, line 3: Fail()"], error.Traceback.Skip(1));
    }

    [Theory]
    [InlineData("missing.csx", "Could not find file")]
    [InlineData("notes.txt", "name an .ipynb, .dib, .csx or .cs file")]
    [InlineData("python.ipynb", "its language is python")]
    [InlineData("torn.ipynb", "not valid JSON at line 1")]
    public async Task What_cannot_be_imported_is_refused_by_name(string name, string message)
    {
        scratch.Write("notes.txt", "");
        scratch.Write("python.ipynb", """{"nbformat":4,"nbformat_minor":5,"metadata":{"kernelspec":{"language":"python"}},"cells":[]}""");
        scratch.Write("torn.ipynb", "{ nope");
        var error = await cells.ErrorAsync($"#!import {name}");
        Assert.StartsWith($"#!import {name}: ", error.Message);
        Assert.Contains(message, error.Message);
    }

    [Theory]
    [InlineData("int a = 1;\n\nnope;", "lib/helper.csx, line 3: CS0103: The name 'nope' does not exist in the current context", "lib/helper.csx, line 3, column 1: CS0103: The name 'nope' does not exist in the current context")]
    [InlineData("\nthrow new Exception(\"broken\");", "lib/helper.csx, line 2: broken", "   at lib/helper.csx, line 2: throw new Exception(\"broken\");")]
    public async Task What_fails_in_a_loaded_file_names_the_file(string text, string message, string traceback)
    {
        scratch.Write("lib/helper.csx", text);
        var error = await cells.ErrorAsync("#load \"lib/helper.csx\"\n1");
        Assert.Equal((message, null), (error.Message, error.Line));
        Assert.Contains(traceback, error.Traceback);
    }

    [Fact]
    public async Task A_loaded_file_loads_others_from_its_own_folder_and_can_be_stopped()
    {
        scratch.Write("lib/helper.cs", "#load \"inner.cs\"\nint Answer() => Inner() + 1;");
        scratch.Write("lib/inner.cs", "int Inner() => 41;\nvoid Spin() { while (true) { } }");
        Assert.Equal("42", await cells.ValueAsync("#load \"lib/helper.cs\"\nAnswer()"));
        await cells.StopAsync("Spin();");
        Assert.DoesNotContain("library code", string.Concat(cells.Shown));
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_an_error_of_the_line_that_loads_it()
    {
        Assert.Equal(2, (await cells.ErrorAsync("\n#load \"gone.csx\"")).Line);
        var error = await cells.ErrorAsync("\n\n#r \"gone.dll\"");
        Assert.Equal(3, error.Line);
        Assert.Contains("'gone.dll' could not be found", error.Message);
    }

    [Fact]
    public async Task An_assembly_is_referred_to_by_a_path_from_the_sessions_folder()
    {
        File.Copy(typeof(Library).Assembly.Location, Path.Combine(scratch.Folder, "Sample.dll"));
        Assert.Equal("5", await cells.ValueAsync("#r \"Sample.dll\"\nnew GradScope.Testing.Sample.Shape(5).Sides"));
    }
}
