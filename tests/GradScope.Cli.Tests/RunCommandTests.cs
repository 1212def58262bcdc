using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using GradScope.Notebooks;

namespace GradScope.Cli.Tests;

public sealed partial class RunCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("gradscope-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Notebooks_that_pass_give_0_and_a_summary()
    {
        Write("b/two.ipynb", "1 + 1");
        Write("one.ipynb", "1", "2");
        Write(".ipynb_checkpoints/skip.ipynb", "nope");
        Write("obj/skip.ipynb", "nope");
        var (code, output, error) = await RunAsync("run", folder);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(["one.ipynb: cell 1 of 2", "one.ipynb: cell 2 of 2", "b/two.ipynb: cell 1 of 1"], Progress(output));
        Assert.Matches(@"one\.ipynb +2 +\d+\.\d +passed", output);
        Assert.Matches(@"two\.ipynb +1 +\d+\.\d +passed", output);
    }

    [Fact]
    public async Task A_failed_cell_gives_1_and_is_told_by_notebook_cell_and_line()
    {
        var path = Write("bad.ipynb", "Console.WriteLine(1);", "\nthrow new Exception(\"broken\");", "3");
        var (code, output, error) = await RunAsync("run", path);
        Assert.Equal((1, $"{path}, cell 2, line 2: broken\n"), (code, error));
        Assert.Matches(@"bad\.ipynb +2 of 3 +\d+\.\d +failed in cell 2", output);
    }

    [Fact]
    public async Task With_errors_allowed_all_failures_are_told_and_the_code_is_1_still()
    {
        var path = Write("bad.ipynb", "a", "b", "1");
        var (code, output, error) = await RunAsync("run", path, "--allow-errors");
        Assert.Equal(1, code);
        Assert.Equal([$"{path}, cell 1, line 1: CS0103", $"{path}, cell 2, line 1: CS0103"], error.TrimEnd().Split('\n').Select(line => line[..(line.IndexOf("CS0103", StringComparison.Ordinal) + 6)]));
        Assert.Contains("failed in cell 1, 2", output);
    }

    [Fact]
    public async Task Nothing_is_written_unless_asked_for()
    {
        var path = Write("one.ipynb", "1");
        var before = File.ReadAllText(path);
        await RunAsync("run", path);
        Assert.Equal(before, File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public async Task In_place_writes_outputs_but_leaves_a_notebook_that_failed()
    {
        var good = Write("good.ipynb", "1 + 1");
        var bad = Write("bad.ipynb", "1", "nope");
        var before = File.ReadAllText(bad);
        var (code, output, _) = await RunAsync("run", good, bad, "--in-place");
        Assert.Equal(1, code);
        Assert.NotEmpty(NotebookDocument.Load(good).Cells[0].Outputs);
        Assert.Equal(before, File.ReadAllText(bad));
        Assert.Contains("were not written", output);

        await RunAsync("run", bad, "--in-place", "--allow-errors");
        Assert.Equal("error", (string?)NotebookDocument.Load(bad).Cells[1].Outputs.Single()!["output_type"]);
    }

    [Fact]
    public async Task Out_and_html_write_to_their_folders_also_what_failed()
    {
        Write("a.ipynb", "\"shown\"");
        Write("b.ipynb", "nope");
        var (outs, pages) = (Path.Combine(folder, "outs"), Path.Combine(folder, "pages"));
        var (_, output, _) = await RunAsync("run", folder, "--out", outs, "--html", pages);
        Assert.Equal(["a.ipynb", "b.ipynb"], Directory.GetFiles(outs).Select(Path.GetFileName).Order());
        Assert.Equal(["a.html", "b.html", "index.html"], Directory.GetFiles(pages).Select(Path.GetFileName).Order());
        Assert.Contains("shown", File.ReadAllText(Path.Combine(pages, "a.html")));
        Assert.Contains("CS0103", File.ReadAllText(Path.Combine(pages, "b.html")));
        Assert.Contains("a cell failed", File.ReadAllText(Path.Combine(pages, "index.html")));
        foreach (var page in Directory.GetFiles(pages))
            Assert.Contains($"  {page}\n", output);

        // What was written is no lesson of the next run.
        Assert.Equal(["a.ipynb", "b.ipynb"], Progress((await RunAsync("run", folder, "--out", outs)).Output).Select(line => line.Split(':')[0]).Distinct());
    }

    [Fact]
    public async Task A_dib_file_runs_and_is_written_as_a_notebook()
    {
        var path = Path.Combine(folder, "plain.dib");
        File.WriteAllText(path, "#!markdown\n# Hi\n#!csharp\n40 + 2\n");
        var outs = Path.Combine(folder, "outs");
        Assert.Equal(0, (await RunAsync("run", path, "--out", outs)).Code);
        Assert.Equal(2, NotebookDocument.Load(Path.Combine(outs, "plain.ipynb")).Cells.Count);
        var (code, _, error) = await RunAsync("run", path, "--in-place");
        Assert.Equal(2, code);
        Assert.Contains("a .dib file holds no outputs", error);
    }

    [Fact]
    public async Task A_cell_over_its_time_fails()
    {
        var path = Write("slow.ipynb", "await Task.Delay(-1);");
        var (code, _, error) = await RunAsync("run", path, "--timeout", "0.5");
        Assert.Equal((1, $"{path}, cell 1: stopped after 0.5 s, the time a cell is given (--timeout)\n"), (code, error));
    }

    [Theory]
    [InlineData("'x' is not a number of seconds", "--timeout", "x")]
    [InlineData("'0' is not a number of seconds", "--timeout", "0")]
    [InlineData("--nope is not an option of 'run'", "--nope")]
    [InlineData("missing.ipynb: there is no such file or folder", "missing.ipynb")]
    public async Task A_wrong_command_line_gives_2_and_runs_nothing(string message, params string[] arguments)
    {
        var path = Write("one.ipynb", "System.IO.File.WriteAllText(\"ran\", \"\");");
        var (code, output, error) = await RunAsync(["run", path, .. arguments]);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(message, error);
        Assert.False(File.Exists(Path.Combine(folder, "ran")));
    }

    [Theory]
    [InlineData("Required argument", "run")]
    [InlineData("'fly'", "fly")]
    public async Task A_command_that_is_not_whole_gives_2(string message, params string[] arguments)
    {
        var (code, _, error) = await RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.Contains(message, error);
        Assert.Contains("--help", error);
    }

    [Theory]
    [InlineData("{ nope", "not valid JSON at line 1")]
    [InlineData("{\"nbformat\":4,\"nbformat_minor\":5,\"metadata\":{\"kernelspec\":{\"language\":\"python\"}},\"cells\":[]}", "its language is python")]
    public async Task A_malformed_notebook_gives_2_before_anything_runs(string json, string message)
    {
        Write("a.ipynb", "System.IO.File.WriteAllText(\"ran\", \"\");");
        var path = Path.Combine(folder, "z.ipynb");
        File.WriteAllText(path, json);
        var (code, output, error) = await RunAsync("run", folder, "--html", Path.Combine(folder, "pages"));
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith($"{path}: {message}", error);
        Assert.Equal(["a.ipynb", "z.ipynb"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
        Assert.Equal(json, File.ReadAllText(path));
    }

    [Fact]
    public async Task Folders_that_cannot_be_meant_are_refused()
    {
        var path = Write("a.ipynb", "1");
        Write("inner/a.ipynb", "1");
        Assert.Contains("use --in-place", (await RunAsync("run", path, "--out", folder)).Error);
        Assert.Contains("is a file; name a folder", (await RunAsync("run", path, "--html", path)).Error);
        Assert.Contains("would both be written to", (await RunAsync("run", folder, "--html", "pages")).Error);
        var empty = Directory.CreateDirectory(Path.Combine(folder, "empty")).FullName;
        Assert.Equal((2, $"{empty}: there is no notebook (.ipynb or .dib) in this folder\n"), Told(await RunAsync("run", empty)));
        var text = Path.Combine(folder, "a.txt");
        File.WriteAllText(text, "");
        Assert.Equal((2, $"{text}: not a notebook; name an .ipynb or .dib file, or a folder\n"), Told(await RunAsync("run", text)));
    }

    [Fact]
    public async Task Stopping_gives_130_and_writes_nothing()
    {
        var path = Write("long.ipynb", "System.IO.File.WriteAllText(\"started\", \"\"); await Task.Delay(-1);");
        var before = File.ReadAllText(path);
        using var cancel = new CancellationTokenSource();
        var run = RunAsync(cancel.Token, "run", path, "--in-place", "--html", Path.Combine(folder, "pages"));
        while (!File.Exists(Path.Combine(folder, "started")) && !run.IsCompleted)
            await Task.Delay(5);
        cancel.Cancel();
        var (code, _, error) = await run;
        Assert.Equal(130, code);
        Assert.StartsWith("Stopped.", error);
        Assert.Equal(before, File.ReadAllText(path));
        Assert.False(Directory.Exists(Path.Combine(folder, "pages")));
    }

    [Theory]
    [InlineData("-INT")]
    [InlineData("-TERM")]
    public async Task An_interrupt_of_the_process_gives_130(string signal)
    {
        if (OperatingSystem.IsWindows())
            return;
        var path = Write("long.ipynb", "System.IO.File.WriteAllText(\"started\", \"\"); await Task.Delay(-1);");
        var before = File.ReadAllText(path);
        using var process = Start("run", path, "--in-place");
        while (!File.Exists(Path.Combine(folder, "started")) && !process.HasExited)
            await Task.Delay(5);
        Process.Start("kill", [signal, $"{process.Id}"]).WaitForExit();
        Assert.Equal((130, "Stopped. Notebooks that had not ended are as they were.\n"), await EndAsync(process));
        Assert.Equal(before, File.ReadAllText(path));
    }

    [Fact]
    public async Task A_hundred_megabytes_of_printing_are_cut_in_bounded_memory()
    {
        var path = Write("loud.ipynb", "var line = new string('x', 999) + \"\\n\"; for (var i = 0; i < 100_000; i++) Console.Write(line);", "1");
        using var process = StartWith(new() { ["DOTNET_GCHeapHardLimit"] = "8000000" }, "run", path, "--in-place");
        Assert.Equal((0, ""), await EndAsync(process));
        Assert.Contains("99000000 more characters were printed; a notebook keeps 1000000 of a cell.", File.ReadAllText(path));
    }

    [Fact]
    public async Task A_cell_that_ends_the_whole_process_does_not_pass()
    {
        var path = Write("exit.ipynb", "Environment.Exit(0);");
        var before = File.ReadAllText(path);
        using var process = Start("run", path, "--in-place");
        Assert.Equal((1, "A cell ended the process; nothing more was run or written.\n"), await EndAsync(process));
        Assert.Equal(before, File.ReadAllText(path));
    }

    [Fact]
    public async Task Help_tells_the_exit_codes()
    {
        var (code, output, _) = await RunAsync("run", "--help");
        Assert.Equal(0, code);
        Assert.All(["0 every cell passed", "1 a cell failed", "2 the command line or a notebook", "130 stopped"], text => Assert.Contains(text, Spaces().Replace(output, " ")));
    }

    [Fact]
    public async Task Parameters_reach_the_cells_and_stand_in_what_is_written()
    {
        var path = WriteTagged("p.ipynb", "var steps = 1; var rate = 0.5f;", "System.FormattableString.Invariant($\"{steps} at {rate}\")");
        var before = File.ReadAllText(path);
        var outs = Path.Combine(folder, "outs");
        Assert.Equal((0, ""), Told(await RunAsync("run", path, "--set", "steps=300", "--set", "rate=0.25", "--out", outs)));
        var cells = NotebookDocument.Load(Path.Combine(outs, "p.ipynb")).Cells;
        Assert.Equal("// Parameters\nint steps = 300;\nfloat rate = 0.25f;", cells[1].Source);
        Assert.Contains("300 at 0.25", cells[2].Outputs.ToJsonString());
        Assert.Equal(before, File.ReadAllText(path));
    }

    [Theory]
    [InlineData("there is no parameter stepz; the cell tagged \"parameters\" declares steps (int)", "--set", "stepz=1")]
    [InlineData("steps is of type int, and 'x' is no int", "--set", "steps=x")]
    [InlineData("'steps' is not of the form name=value", "--set", "steps")]
    [InlineData("--set would be written into the notebook", "--set", "steps=1", "--in-place")]
    [InlineData("--jobs: '0' is not a number of notebooks", "--jobs", "0")]
    public async Task A_parameter_that_cannot_be_set_gives_2_and_runs_nothing(string message, params string[] arguments)
    {
        var path = WriteTagged("p.ipynb", "var steps = 1;", "System.IO.File.WriteAllText(\"ran\", \"\");");
        var (code, output, error) = await RunAsync(["run", path, .. arguments]);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(message, error);
        Assert.False(File.Exists(Path.Combine(folder, "ran")));
    }

    [Fact]
    public async Task Notebooks_run_at_the_same_time_and_do_not_meet()
    {
        // Each waits for the other's file, and prints, moves and formats as if it were alone.
        foreach (var (own, other) in new[] { ("a", "b"), ("b", "a") })
            Write($"{own}/{own}.ipynb", $$"""
                Microsoft.DotNet.Interactive.Formatting.Formatter.Register<int>((value, writer) => writer.Write("{{own}}" + value), "text/plain");
                System.IO.File.WriteAllText("here", "");
                while (!System.IO.File.Exists("../{{other}}/here")) await Task.Delay(5);
                Console.Write("{{own}}");
                """, "display(System.IO.Path.GetFileName(Environment.CurrentDirectory)); display(7, \"text/plain\");");
        var outs = Path.Combine(folder, "outs");
        var (code, output, error) = await RunAsync("run", folder, "--out", outs, "--jobs", "2", "--timeout", "60");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(["a/a.ipynb: cell 1 of 2", "a/a.ipynb: cell 2 of 2", "b/b.ipynb: cell 1 of 2", "b/b.ipynb: cell 2 of 2"], Progress(output).Order());
        foreach (var own in new[] { "a", "b" })
        {
            var cells = NotebookDocument.Load(Path.Combine(outs, $"{own}.ipynb")).Cells;
            Assert.Equal($$"""[{"name":"stdout","output_type":"stream","text":["{{own}}"]}]""", cells[0].Outputs.ToJsonString());
            Assert.Equal([own, $"{own}7"], cells[1].Outputs.Select(output => (string?)output!["data"]!["text/plain"]![0]));
        }
    }

    [Fact]
    public async Task A_cell_that_ends_its_process_fails_and_ends_no_other_notebook()
    {
        var bad = Write("a.ipynb", "1", "Environment.Exit(0);", "2");
        Write("b.ipynb", "1");
        var (code, output, error) = await RunAsync("run", folder);
        Assert.Equal((1, $"{bad}, cell 2: the cell ended the process that ran the notebook (exit code 0); its outputs are lost\n"), (code, error));
        Assert.Matches(@"a\.ipynb +2 of 3 +\d+\.\d +failed in cell 2", output);
        Assert.Matches(@"b\.ipynb +1 +\d+\.\d +passed", output);
    }

    [Fact]
    public async Task A_report_tells_every_cell_as_build_servers_read_it()
    {
        var path = Write("bad.ipynb", "1", "throw new Exception(\"a <b>\\u0001\");", "3");
        Write("good.ipynb", "1");
        var report = Path.Combine(folder, "reports", "junit.xml");
        Assert.Equal(1, (await RunAsync("run", folder, "--report", report)).Code);
        var suites = XDocument.Load(report).Root!;
        Assert.Equal(("testsuites", "4", "1"), (suites.Name.LocalName, (string?)suites.Attribute("tests"), (string?)suites.Attribute("failures")));
        var suite = suites.Elements().First();
        Assert.Equal((path, "3", "1", "1"), ((string?)suite.Attribute("name"), (string?)suite.Attribute("tests"), (string?)suite.Attribute("failures"), (string?)suite.Attribute("skipped")));
        Assert.Equal(["cell 1", "cell 2", "cell 3"], suite.Elements().Select(test => (string?)test.Attribute("name")));
        Assert.Equal(["", "failure", "skipped"], suite.Elements().Select(test => test.Elements().SingleOrDefault()?.Name.LocalName ?? ""));
        Assert.Equal($"{path}, cell 2, line 1: a <b>\uFFFD", suite.Descendants("failure").Single().Value);
        Assert.All(suites.Descendants("testcase"), test => Assert.Matches(@"^\d+\.\d{3}$", (string?)test.Attribute("time")));
    }

    [Fact]
    public async Task An_interrupt_in_the_middle_of_several_notebooks_leaves_no_half_of_one_and_no_process()
    {
        if (OperatingSystem.IsWindows())
            return;
        var done = Write("a.ipynb", "1 + 1");
        var busy = Write("b.ipynb", "1", "System.IO.File.WriteAllText(\"pid\", $\"{Environment.ProcessId}\"); System.IO.File.Move(\"pid\", \"started\"); while (true) { }");
        var never = Write("c.ipynb", "1");
        var before = (File.ReadAllText(busy), File.ReadAllText(never));
        using var process = Start("run", folder, "--in-place");
        var started = Path.Combine(folder, "started");
        while (!File.Exists(started) && !process.HasExited)
            await Task.Delay(5);
        var worker = int.Parse(File.ReadAllText(started), System.Globalization.CultureInfo.InvariantCulture);
        File.Delete(started);

        // A terminal sends it to both; the worker leaves it to the other.
        Process.Start("kill", ["-INT", $"{worker}"]).WaitForExit();
        Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
        Assert.Equal((130, "Stopped. Notebooks that had not ended are as they were.\n"), await EndAsync(process));
        Assert.NotEmpty(NotebookDocument.Load(done).Cells[0].Outputs);
        Assert.Equal(before, (File.ReadAllText(busy), File.ReadAllText(never)));
        Assert.Equal(["a.ipynb", "b.ipynb", "c.ipynb"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
        Assert.False(Directory.Exists($"/proc/{worker}") && !File.ReadAllText($"/proc/{worker}/stat").Contains(") Z ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GradScope", "typeof(GradScope.Tape).Name")]
    [InlineData("GradScope.Figures", "typeof(GradScope.Figure).Name")]
    [InlineData("GradScope.Interactive", "typeof(GradScope.Interactive.Formatters).Name")]
    public async Task GradScopes_own_packages_need_no_restore(string package, string use)
    {
        Write("a.ipynb", $"#r \"nuget: {package}\"\n{use}");
        Assert.Equal((0, ""), Told(await RunAsync("run", folder)));
    }

    [Fact]
    public async Task Live_training_is_one_output_that_ends_as_the_figure()
    {
        File.WriteAllLines(Path.Combine(folder, "names.txt"), Enumerable.Range(0, 50).SelectMany(_ => new[] { "emma", "olivia", "ava", "mia", "noah", "liam" }));
        Write("train.ipynb", "#r \"nuget: GradScope.Interactive\"\nusing GradScope;", """
            var names = Names.Load("names.txt");
            var model = new MiniTransformer(vocabSize: names.VocabSize, modelDim: 8, heads: 2, contextLength: 16);
            await new Trainer(model, names) { BatchSize = 4 }.TrainAsync(steps: 3);
            """);
        var outs = Path.Combine(folder, "outs");
        Assert.Equal((0, ""), Told(await RunAsync("run", folder, "--out", outs)));
        var data = NotebookDocument.Load(Path.Combine(outs, "train.ipynb")).Cells[1].Outputs.Single()!["data"]!.AsObject();
        Assert.Equal(["text/html", "text/plain"], data.Select(form => form.Key));
        Assert.Contains("<svg", string.Concat(data["text/html"]!.AsArray().Select(line => (string?)line)));
    }

    private string Write(string name, params string[] cells)
    {
        var path = Path.Combine(folder, name);
        NotebookDocument.Create(name, cells.Select(source => (CellKind.Code, source, (string?)null))).Save(path);
        return path;
    }

    private static Process Start(params string[] arguments) => StartWith([], arguments);

    private static Process StartWith(Dictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, .. arguments])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private static async Task<(int Code, string Error)> EndAsync(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await output;
        await process.WaitForExitAsync();
        return (process.ExitCode, error);
    }

    /// <summary>Writes a notebook whose first cell is that of its parameters.</summary>
    private string WriteTagged(string name, params string[] cells)
    {
        var path = Write(name, cells);
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        json["cells"]![0]!["metadata"] = new JsonObject { ["tags"] = new JsonArray("parameters") };
        File.WriteAllText(path, json.ToJsonString());
        return path;
    }

    private IEnumerable<string> Progress(string output) => output.Split('\n').Where(line => line.Contains(": cell ", StringComparison.Ordinal))
        .Select(line => line.Replace(folder + Path.DirectorySeparatorChar, ""));

    private static (int, string) Told((int Code, string Output, string Error) run) => (run.Code, run.Error);

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => RunAsync(CancellationToken.None, arguments);

    private static async Task<(int Code, string Output, string Error)> RunAsync(CancellationToken cancel, params string[] arguments)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = await CommandLine.InvokeAsync(arguments, output, error, cancel: cancel);
        return (code, output.ToString().ReplaceLineEndings("\n"), error.ToString());
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
