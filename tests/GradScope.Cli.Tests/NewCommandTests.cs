using GradScope.Notebooks;

namespace GradScope.Cli.Tests;

public sealed class NewCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("gradscope-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("03-where-it-looks", "Where it looks")]
    [InlineData("lessons/Where it looks.ipynb", "Where it looks")]
    [InlineData("7", "7")]
    public async Task A_lesson_is_a_notebook_for_every_host_that_runs(string name, string title)
    {
        var (code, output, error) = await RunAsync("new", "lesson", Path.Combine(folder, name));
        Assert.Equal((0, ""), (code, error));
        var path = Path.Combine(folder, name.EndsWith(".ipynb", StringComparison.Ordinal) ? name : name + ".ipynb");
        Assert.Contains($"gradscope run {path}", output);
        var notebook = NotebookDocument.Load(path);
        Assert.Equal((title, "C#"), (notebook.Title, notebook.Language));
        Assert.Equal("#r \"nuget: GradScope.Interactive, *-*\"\nusing GradScope;", notebook.Cells.First(cell => cell.Kind == CellKind.Code).Source);
        Assert.All(notebook.Cells.Where(cell => cell.Kind == CellKind.Code), cell => Assert.Equal("csharp", cell.Language));
        Assert.Contains("\"name\": \".net-csharp\"", File.ReadAllText(path));
        Assert.Equal((0, ""), ((await RunAsync("run", path, "--in-place")) is var run ? run.Code : 0, run.Error));
        Assert.Contains("<svg", NotebookDocument.Load(path).Cells[^1].Outputs.ToJsonString().Replace("\\u003C", "<", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("there", "is there already, and nothing was written")]
    [InlineData("folder", "is there already, and nothing was written")]
    [InlineData("", "is no name for a file")]
    [InlineData("lessons/", "is no name for a file")]
    public async Task What_is_there_is_not_written_over(string name, string message)
    {
        var there = Path.Combine(folder, "there.ipynb");
        File.WriteAllText(there, "mine");
        Directory.CreateDirectory(Path.Combine(folder, "folder.ipynb"));
        var (code, output, error) = await RunAsync("new", "lesson", folder + "/" + name);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(message, error);
        Assert.Equal("mine", File.ReadAllText(there));
        Assert.Equal(2, Directory.GetFileSystemEntries(folder).Length);
    }

    [Fact]
    public async Task Without_a_name_the_help_that_is_pointed_to_is_the_right_one()
    {
        var (code, _, error) = await RunAsync("new", "lesson");
        Assert.Equal(2, code);
        Assert.Contains("'gradscope new lesson --help'", error);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        return (await CommandLine.InvokeAsync(arguments, output, error), output.ToString(), error.ToString());
    }
}
