using GradScope.Testing.Sample;

namespace GradScope.Notebooks.Tests;

public sealed class CSharpSessionTests : IDisposable
{
    private readonly Cells cells = new();

    public void Dispose() => cells.Dispose();

    [Fact]
    public async Task Cells_share_state_and_may_redefine_it()
    {
        await cells.RunAsync("var x = 1; int Twice(int n) => 2 * n;");
        Assert.Equal("2", await cells.ValueAsync("Twice(x)"));
        await cells.RunAsync("var x = \"two\";");
        Assert.Equal("twotwo", await cells.ValueAsync("x + x"));
    }

    [Fact]
    public async Task A_using_holds_for_later_cells()
    {
        await cells.RunAsync("using System.Globalization;");
        Assert.Equal("True", await cells.ValueAsync("CultureInfo.InvariantCulture.IsReadOnly"));
    }

    [Fact]
    public async Task Top_level_await_works_and_so_does_waiting_for_a_result()
    {
        Assert.Equal("3", await cells.ValueAsync("await Task.Run(() => 3)"));
        Assert.Equal("4", await cells.ValueAsync("async Task<int> Later() { await Task.Delay(1); return 4; }\nLater().Result"));
    }

    [Theory]
    [InlineData("var y = 1;", false)]
    [InlineData("_ = 1 + 1;", false)]
    [InlineData("Console.Write(\"\")", false)]
    [InlineData("await Task.CompletedTask", false)]
    [InlineData("1 + 1", true)]
    [InlineData("(string)null", true)]
    public async Task Only_a_last_expression_without_semicolon_is_a_result(string code, bool hasResult)
    {
        Assert.True((await cells.RunAsync(code)).Succeeded);
        Assert.Equal(hasResult, cells.Outputs.OfType<CellOutput.Result>().Any());
    }

    [Theory]
    [InlineData("new StringBuilder()")]
    [InlineData("new ArrayList()")]
    [InlineData("new List<int>()")]
    [InlineData("Task.CompletedTask.IsCompleted")]
    [InlineData("new[] { 1 }.Sum()")]
    public async Task Polyglots_imports_are_there(string code) => Assert.True((await cells.RunAsync(code)).Succeeded);

    [Theory]
    [InlineData("File.Exists(\"x\")")]
    [InlineData("new HttpClient()")]
    [InlineData("new Thread(() => { })")]
    [InlineData("new CellContext(null)")]
    public async Task No_other_imports_are(string code) => Assert.Contains("CS0", (await cells.ErrorAsync(code)).Message);

    [Fact]
    public async Task Console_and_displays_keep_their_order()
    {
        await cells.RunAsync("Console.WriteLine(1); display(2); Console.Write(3); Console.Error.Write(4); Console.Write(5); 6");
        Assert.Equal(["stdout: 1\n", "display: 2", "stdout: 3", "stderr: 4", "stdout: 5", "result: 6"], cells.Shown);
    }

    [Fact]
    public async Task Threads_and_tasks_of_a_cell_print_into_it()
    {
        await cells.RunAsync("""
            var thread = new System.Threading.Thread(() => Console.WriteLine("thread"));
            thread.Start();
            thread.Join();
            await Task.Run(() => Console.WriteLine("task"));
            Parallel.For(0, 1, i => Console.WriteLine("parallel"));
            """);
        Assert.Equal(["stdout: thread\ntask\nparallel\n"], cells.Shown);
    }

    [Fact]
    public async Task A_cell_that_takes_the_console_away_keeps_it_for_itself()
    {
        await cells.RunAsync("Console.SetOut(new System.IO.StringWriter()); Console.WriteLine(\"lost\");");
        await cells.RunAsync("Console.WriteLine(\"back\");");
        Assert.Equal(["stdout: back\n"], cells.Shown);
    }

    [Fact]
    public async Task What_comes_after_the_end_of_a_cell_is_dropped()
    {
        await cells.RunAsync("var gate = new TaskCompletionSource(); var late = Task.Run(async () => { await gate.Task; Console.WriteLine(\"late\"); });");
        await cells.RunAsync("gate.SetResult(); await late; Console.WriteLine(\"now\");");
        Assert.Equal(["stdout: now\n"], cells.Shown);
    }

    [Fact]
    public async Task A_handle_updates_what_it_shows_also_from_a_later_cell()
    {
        await cells.RunAsync("var handle = 1.Display(); handle.Update(2);");
        var shown = cells.Outputs.OfType<CellOutput.Display>().Single();
        Assert.Equal(["display: 1", "update: 2"], cells.Shown);
        await cells.RunAsync("handle.Update(3);");
        Assert.Equal(shown.Id, Assert.IsType<CellOutput.Update>(cells.Outputs.Single()).Id);
    }

    [Fact]
    public async Task Library_code_reaches_the_running_cell()
    {
        using var own = new Cells(new SessionOptions { References = [typeof(Library).Assembly] });
        await own.RunAsync("await Task.Run(() => GradScope.Testing.Sample.Library.Work());");
        Assert.Equal(["display: at work", "update: done"], own.Shown);
        Assert.Null(CellContext.Current);
    }

    [Fact]
    public async Task Types_are_those_of_the_host()
    {
        using var own = new Cells(new SessionOptions { References = [typeof(Library).Assembly] });
        Library.Last = null;
        await own.RunAsync("GradScope.Testing.Sample.Library.Last = new GradScope.Testing.Sample.Shape(3);");
        Assert.Equal(3, Assert.IsType<Shape>(Library.Last).Sides);
    }

    [Fact]
    public async Task HTML_is_shown_as_it_stands_and_text_by_its_type()
    {
        await cells.RunAsync("\"*a*\".DisplayAs(\"text/markdown\"); HTML(\"<b>1 < 2</b>\")");
        Assert.True(((CellOutput.Display)cells.Outputs[0]).Data.TryGet("text/markdown", out var markdown));
        Assert.True(((CellOutput.Result)cells.Outputs[1]).Data.TryGet("text/html", out var html));
        Assert.Equal(("*a*", "<b>1 < 2</b>"), (markdown, html));
    }

    [Fact]
    public async Task A_formatter_that_throws_does_not_fail_the_cell()
    {
        var result = await cells.RunAsync("""
            class Broken { }
            Microsoft.DotNet.Interactive.Formatting.Formatter.Register<Broken>((value, writer) => throw new Exception("no <ink>"), "text/html");
            new Broken()
            """);
        Assert.True(result.Succeeded);
        Assert.True(((CellOutput.Result)cells.Outputs.Single()).Data.TryGet("text/html", out var html));
        Assert.Contains("Broken cannot be shown: its formatter threw Exception: no &lt;ink&gt;", html);
    }

    [Fact]
    public async Task Both_forms_are_given_where_a_type_prefers_both()
    {
        await cells.RunAsync("""
            using Microsoft.DotNet.Interactive.Formatting;
            class Both { }
            Formatter.Register<Both>((value, writer) => writer.Write("<i>both</i>"), "text/html");
            Formatter.Register<Both>((value, writer) => writer.Write("both"), "text/plain");
            Formatter.SetPreferredMimeTypesFor(typeof(Both), "text/html", "text/plain");
            new Both()
            """);
        Assert.Equal([new("text/html", "<i>both</i>"), new("text/plain", "both")], ((CellOutput.Result)cells.Outputs.Single()).Data);
    }

    [Fact]
    public async Task A_compilation_error_tells_cell_line_and_column_and_runs_nothing()
    {
        var error = await cells.ErrorAsync("Console.WriteLine(1);\n\n  nope + 1");
        Assert.Equal(("CompilationError", 3), (error.Name, error.Line));
        Assert.Equal("CS0103: The name 'nope' does not exist in the current context", error.Message);
        Assert.Equal(["cell 1, line 3, column 3: " + error.Message, "      nope + 1", "      ^^^^"], error.Traceback);
        Assert.Single(cells.Outputs);
    }

    [Fact]
    public async Task An_exception_tells_the_line_of_its_cell_and_the_frames_of_its_author()
    {
        await cells.RunAsync("int Divide(int a, int b)\n{\n    return a / b;\n}");
        var error = await cells.ErrorAsync("async Task<int> Inner()\n{\n    await Task.Yield();\n    return Divide(1, 0);\n}\n\nvar kept = 7;\nawait Inner()");
        Assert.Equal(("DivideByZeroException", 8), (error.Name, error.Line));
        Assert.Equal(
        [
            "System.DivideByZeroException: Attempted to divide by zero.",
            "   at Divide in cell 1, line 3: return a / b;",
            "   at Inner in cell 2, line 4: return Divide(1, 0);",
            "   at cell 2, line 8: await Inner()",
        ], error.Traceback);
        Assert.Equal("7", await cells.ValueAsync("kept"));
    }

    [Fact]
    public async Task Wrapped_exceptions_are_unwrapped_and_causes_told()
    {
        var error = await cells.ErrorAsync("Task.Run(() => { throw new InvalidOperationException(\"outer\", new ArgumentException(\"inner\")); }).Wait();");
        Assert.Equal(("InvalidOperationException", "outer"), (error.Name, error.Message));
        Assert.Contains("caused by System.ArgumentException: inner", error.Traceback);
    }

    [Fact]
    public async Task An_exception_that_nobody_awaits_is_shown_and_does_not_end_the_process()
    {
        await cells.RunAsync("var seen = false; async void Stray() { await Task.Yield(); try { throw new Exception(\"stray\"); } finally { seen = true; } }\nStray();\nwhile (!seen) await Task.Delay(1); await Task.Delay(100);");
        Assert.Contains("stderr: System.Exception: stray", cells.Shown.Single());
    }

    [Theory]
    [InlineData("while (true) { }")]
    [InlineData("await Task.Delay(-1);")]
    [InlineData("System.Threading.Thread.Sleep(-1);")]
    [InlineData("await Task.Yield(); while (true) { }")]
    [InlineData("try { while (true) { } } finally { Console.WriteLine(\"leaving\"); }")]
    [InlineData("while (true) { try { System.Threading.Thread.Sleep(1); } catch { } }")]
    [InlineData("while (true) Console.WriteLine(\"more\");")]
    [InlineData("while (true) await Task.Yield();")]
    [InlineData("Task.Run(() => System.Threading.Thread.Sleep(1000)).Wait();")]
    [InlineData("for (;;) ;")]
    [InlineData("do { } while (true);")]
    [InlineData("IEnumerable<int> Forever() { for (var i = 0; ; i++) yield return i; }\nforeach (var i in Forever()) ;")]
    [InlineData("IEnumerable<int> Forever() { for (var i = 0; ; i++) yield return i; }\nvar all = Forever().ToList();")]
    [InlineData("while (true) try { while (true) ; } catch { }")]
    [InlineData("Parallel.For(0, 9, _ => { while (true) ; });")]
    [InlineData("var thread = new System.Threading.Thread(() => { while (true) ; }); thread.Start(); thread.Join();")]
    [InlineData("GradScope.Notebooks.CellContext.Current.Stopping.Register(() => System.Threading.Thread.Sleep(-1)); while (true) ;")]
    [InlineData("GradScope.Notebooks.CellContext.Current.Stopping.Register(() => throw new Exception()); while (true) ;")]
    [InlineData("async void Stray() { await Task.Yield(); throw new Exception(); } while (true) { Stray(); await Task.Yield(); }")]
    public async Task A_cell_that_never_ends_can_be_stopped_and_state_is_kept(string code)
    {
        await cells.RunAsync("var before = 41;");
        await cells.StopAsync(code);
        Assert.Equal("42", await cells.ValueAsync("before + 1"));
    }

    [Fact]
    public async Task A_stopped_await_never_comes_back()
    {
        await cells.RunAsync("var gate = new TaskCompletionSource(); var log = new List<string>();");
        await cells.StopAsync("await gate.Task; log.Add(\"came back\");");
        Assert.Equal("0", await cells.ValueAsync("gate.SetResult(); await Task.Delay(50); log.Count"));
    }

    [Fact]
    public async Task A_thread_of_a_cell_that_fails_is_shown_and_does_not_end_the_process()
    {
        await cells.RunAsync("var thread = new System.Threading.Thread(() => throw new Exception(\"alone\"));\nthread.Start(); thread.Join();");
        Assert.Contains("System.Exception: alone\n   at a lambda in cell 1, line 1", cells.Shown.Single());
    }

    [Fact]
    public async Task Whoever_cannot_show_what_went_astray_is_not_asked_twice()
    {
        using var session = new CSharpSession();
        var result = await session.ExecuteAsync("""
            var seen = false;
            async void Stray() { await Task.Yield(); try { throw new Exception("stray"); } finally { seen = true; } }
            Stray();
            while (!seen) await Task.Delay(1);
            await Task.Delay(50);
            """, _ => throw new IOException("nobody is there"));
        Assert.True(result.Succeeded);
    }

    [Fact]
    public async Task A_recursion_without_end_is_an_error()
    {
        var error = await cells.ErrorAsync("int Deeper(int n)\n{\n    return 1 + Deeper(n + 1);\n}\nDeeper(0)");
        Assert.Equal(5, error.Line);
        Assert.Contains("a function calls itself", error.Message);
    }

    [Fact]
    public async Task What_cannot_be_stopped_is_left_behind_with_a_word()
    {
        await cells.StopAsync("Enumerable.Range(0, int.MaxValue).All(i => i >= 0);");
        Assert.Contains("stderr: The cell is inside of library code", cells.Shown.Last());
        Assert.Equal("2", await cells.ValueAsync("1 + 1"));
    }

    [Fact]
    public async Task Console_input_is_refused_with_a_reason() =>
        Assert.Contains("nobody is there to answer", (await cells.ErrorAsync("Console.ReadLine()")).Message);

    [Fact]
    public async Task Two_cells_at_once_are_refused()
    {
        using var stop = new CancellationTokenSource();
        var first = cells.RunAsync("await Task.Delay(-1);", stop: stop.Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => cells.RunAsync("1"));
        stop.Cancel();
        Assert.True((await first).WasStopped);
    }

    [Fact]
    public async Task Sessions_side_by_side_do_not_meet()
    {
        var sums = await Task.WhenAll(Enumerable.Range(0, 3).Select(async i =>
        {
            using var own = new Cells();
            await own.RunAsync($"var n = {i};");
            for (var round = 0; round < 3; round++)
                await own.RunAsync("display(n); n++;");
            return await own.ValueAsync("n");
        }));
        Assert.Equal(["3", "4", "5"], sums);
    }
}
