using System.Text.Json.Nodes;
using GradScope.Testing;

namespace GradScope.Notebooks.Tests;

public sealed class NotebookRunnerTests : IDisposable
{
    private readonly Scratch scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public async Task Outputs_and_counts_are_written_as_Jupyter_writes_them()
    {
        var (notebook, run) = await RunAsync("Console.Write(1);\nConsole.WriteLine(2); display(\"shown\"); Console.Error.Write(\"e\");", "  ", "\"last\"");
        Assert.True(run.Passed);
        Assert.Equal((2, 2), (run.Ran.Count, run.Cells));
        Assert.Equal([1, null, 2], notebook.Cells.Select(cell => cell.ExecutionCount));
        Assert.Equal("""[{"name":"stdout","output_type":"stream","text":["12\n"]},{"data":{"text/plain":["shown"]},"metadata":{},"output_type":"display_data"},{"name":"stderr","output_type":"stream","text":["e"]}]""",
            notebook.Cells[0].Outputs.ToJsonString());
        Assert.Equal("""[{"data":{"text/plain":["last"]},"execution_count":2,"metadata":{},"output_type":"execute_result"}]""",
            notebook.Cells[2].Outputs.ToJsonString());
    }

    [Fact]
    public async Task An_updated_display_is_one_output_with_the_last_value()
    {
        var (notebook, _) = await RunAsync(
            "var handle = display(\"0\"); Console.Write(\"between\"); for (var i = 1; i <= 2000; i++) handle.Update($\"{i}\");",
            "handle.Update(\"from a later cell\"); \"own\"");
        Assert.Equal(["display_data:from a later cell", "stream:between"], notebook.Cells[0].Outputs.Select(Describe));
        Assert.Equal(["execute_result:own"], notebook.Cells[1].Outputs.Select(Describe));
    }

    [Fact]
    public async Task The_first_failure_ends_the_run_and_keeps_earlier_outputs()
    {
        var (notebook, run) = await RunAsync("\"first\"", "Console.Write(\"before\");\nthrow new Exception(\"bad\");", "\"third\"");
        Assert.Equal([new CellFailure("test.ipynb", 2, 2, "bad")], run.Failures);
        Assert.Equal("test.ipynb, cell 2, line 2: bad", run.Failures.Single().ToString());
        Assert.Equal((2, 3), (run.Ran.Count, run.Cells));
        Assert.Equal(["execute_result:first"], notebook.Cells[0].Outputs.Select(Describe));
        Assert.Equal(["stream:before", "error:Exception: bad"], notebook.Cells[1].Outputs.Select(Describe));
        Assert.Empty(notebook.Cells[2].Outputs);
        Assert.Null(notebook.Cells[2].ExecutionCount);
    }

    [Fact]
    public async Task With_errors_allowed_the_rest_runs_too()
    {
        var (notebook, run) = await RunAsync(new RunOptions { AllowErrors = true }, "nope", "var x = 3;", "x / (x - 3)", "x");
        Assert.Equal([1, 3], run.Failures.Select(failure => failure.Cell));
        Assert.Equal("execute_result", (string?)notebook.Cells[3].Outputs.Single()!["output_type"]);
    }

    [Fact]
    public async Task A_cell_that_is_tagged_to_fail_may()
    {
        var notebook = NotebookDocument.Parse("""{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[{"id":"a","cell_type":"code","source":"throw new Exception(\"on purpose\");","metadata":{"tags":["raises-exception"]}}]}""", "n");
        var run = await new NotebookRunner(new SessionOptions()).RunAsync(notebook, scratch.Folder, new RunOptions());
        Assert.True(run.Passed);
        Assert.Equal(["error:Exception: on purpose"], notebook.Cells[0].Outputs.Select(Describe));
    }

    [Fact]
    public async Task A_cell_over_its_time_is_stopped_and_the_next_has_its_state()
    {
        var (notebook, run) = await RunAsync(new RunOptions { AllowErrors = true, Timeout = TimeSpan.FromSeconds(2) }, "var x = 3;", "await Task.Delay(-1);", "$\"{x}\"");
        Assert.Equal(["test.ipynb, cell 2: stopped after 2 s, the time a cell is given (--timeout)"], run.Failures.Select(failure => failure.ToString()));
        Assert.Equal(["execute_result:3"], notebook.Cells[2].Outputs.Select(Describe));
    }

    [Fact]
    public async Task Cancelling_ends_the_run()
    {
        using var cancel = new CancellationTokenSource();
        var notebook = Notebook("await Task.Delay(-1);");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new NotebookRunner(new SessionOptions())
            .RunAsync(notebook, scratch.Folder, new RunOptions(), _ => cancel.CancelAfter(20), cancel.Token));
    }

    [Fact]
    public async Task Cells_run_in_the_notebooks_folder()
    {
        scratch.Write("data.txt", "found");
        var before = Environment.CurrentDirectory;
        var (notebook, _) = await RunAsync("System.IO.File.ReadAllText(\"data.txt\")");
        Assert.Equal(["execute_result:found"], notebook.Cells[0].Outputs.Select(Describe));
        Assert.Equal(before, Environment.CurrentDirectory);
    }

    [Fact]
    public async Task Progress_is_told_before_each_cell()
    {
        var steps = new List<(int, int)>();
        await new NotebookRunner(new SessionOptions()).RunAsync(Notebook("1", "", "2"), scratch.Folder, new RunOptions(), step => steps.Add((step.Cell, step.Cells)));
        Assert.Equal([(1, 2), (2, 2)], steps);
    }

    [Fact]
    public async Task A_cell_that_prints_without_end_is_cut_with_a_word()
    {
        var (notebook, _) = await RunAsync("var line = new string('x', 999) + \"\\n\"; for (var i = 0; i < 3000; i++) Console.Write(line);");
        var outputs = notebook.Cells[0].Outputs;
        Assert.Equal(1_000_000, NotebookJson.Text(outputs[0]!["text"]).Length);
        Assert.Equal("stream:2000000 more characters were printed; a notebook keeps 1000000 of a cell.\n", Describe(outputs[1]));
    }

    [Fact]
    public async Task A_cell_that_shows_without_end_is_cut_with_a_word()
    {
        var (notebook, _) = await RunAsync("var big = new string('x', 20_000_000); for (var i = 0; i < 5; i++) display(big);", "display(\"next\");");
        Assert.Equal(["display_data", "display_data", "stream"], notebook.Cells[0].Outputs.Select(output => (string?)output!["output_type"]));
        Assert.Equal("stream:3 more values were shown; a notebook keeps 50000000 characters of a cell's values.\n", Describe(notebook.Cells[0].Outputs[2]));
        Assert.Equal(["display_data:next"], notebook.Cells[1].Outputs.Select(Describe));
    }

    [Fact]
    public async Task A_cell_in_another_language_fails_by_its_name()
    {
        var notebook = NotebookDocument.Create("mixed.ipynb", [(CellKind.Code, "1", null), (CellKind.Code, "let x = 1", "fsharp")]);
        var run = await new NotebookRunner(new SessionOptions()).RunAsync(notebook, scratch.Folder, new RunOptions());
        Assert.Equal("mixed.ipynb, cell 2, line 1: this host runs C#, Markdown and HTML cells, not fsharp; write the cell in one of these", run.Failures.Single().ToString());
    }

    [Theory]
    [InlineData("class Bad : Exception { public override string Message => throw new Exception(\"worse\"); }\nthrow new Bad();", "(its Message threw Exception)")]
    [InlineData("class Bad { public override string ToString() => throw new Exception(\"worse\"); }\nthrow new Exception($\"{new Bad()}\");", "worse")]
    [InlineData("class Bad : Exception { public override string StackTrace => throw new Exception(\"worse\"); public override string ToString() => throw new Exception(\"worse\"); }\nasync void Stray() { await Task.Yield(); throw new Bad(); }\nStray(); await Task.Delay(200); throw new Exception(\"end\");", "end")]
    public async Task An_exception_that_cannot_be_told_is_told_all_the_same(string code, string message)
    {
        var (_, run) = await RunAsync(code);
        Assert.Equal(message, run.Failures.Single().Message);
    }

    [Fact]
    public async Task A_second_run_gives_the_same_file()
    {
        string[] cells = ["var h = display(\"a\"); h.Update(\"b\"); Console.WriteLine(1);", "new { A = 1 }", "throw new Exception(\"x\");"];
        var (first, _) = await RunAsync(cells);
        var (second, _) = await RunAsync(cells);
        Assert.Equal(first.ToJson(), second.ToJson());
        await new NotebookRunner(new SessionOptions()).RunAsync(first, scratch.Folder, new RunOptions());
        Assert.Equal(second.ToJson(), first.ToJson());
    }

    [RequiresFact(Tool.NbFormat)]
    public async Task What_is_written_is_valid_nbformat()
    {
        var (notebook, _) = await RunAsync(new RunOptions { AllowErrors = true },
            "1", "display(HTML(\"<b>x</b>\")); Console.WriteLine(1); Console.Error.WriteLine(2);", "nope", "\"{\\\"a\\\": 1}\".DisplayAs(\"application/json\");", "#!markdown\n# hi");
        var path = Path.Combine(scratch.Folder, "valid.ipynb");
        notebook.Save(path);
        Tool.Run(Tool.Python, "-c", "import sys, nbformat; nbformat.validate(nbformat.read(sys.argv[1], as_version=nbformat.NO_CONVERT))", path);
        var rewritten = Tool.Run(Tool.Python, "-c", "import sys, nbformat; sys.stdout.write(nbformat.writes(nbformat.read(sys.argv[1], as_version=4)))", path);
        Assert.Equal(rewritten + "\n", File.ReadAllText(path));
    }

    private async Task<(NotebookDocument, NotebookRun)> RunAsync(params string[] cells) => await RunAsync(new RunOptions(), cells);

    private async Task<(NotebookDocument, NotebookRun)> RunAsync(RunOptions options, params string[] cells)
    {
        var notebook = Notebook(cells);
        return (notebook, await new NotebookRunner(new SessionOptions()).RunAsync(notebook, scratch.Folder, options));
    }

    private static NotebookDocument Notebook(params string[] cells) =>
        NotebookDocument.Create("test.ipynb", cells.Select(source => (CellKind.Code, source, (string?)null)));

    private static string Describe(JsonNode? output) => (string?)output!["output_type"] switch
    {
        "stream" => $"stream:{NotebookJson.Text(output["text"])}",
        "error" => $"error:{output["ename"]}: {output["evalue"]}",
        var type => $"{type}:{NotebookJson.Text(output["data"]!["text/plain"])}",
    };
}
