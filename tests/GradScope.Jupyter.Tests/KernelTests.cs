using System.Text.Json.Nodes;
using GradScope.Notebooks;

namespace GradScope.Jupyter.Tests;

public sealed class KernelTests : IDisposable
{
    private readonly FakeClient client = new();

    public void Dispose() => client.Dispose();

    [Fact]
    public async Task Kernel_info_names_the_protocol_and_the_language()
    {
        var (reply, exchange) = await client.AskAsync("kernel_info_request", new { });
        Assert.Equal(("ok", "5.3", "gradscope"), ((string?)reply["status"], (string?)reply["protocol_version"], (string?)reply["implementation"]));
        Assert.Equal(("C#", ".cs", "csharp"), ((string?)reply["language_info"]!["name"], (string?)reply["language_info"]!["file_extension"], (string?)reply["language_info"]!["pygments_lexer"]));
        Assert.Equal(["busy", "idle"], exchange.Of("status").Select(content => (string?)content["execution_state"]));
    }

    [Fact]
    public async Task A_cell_shows_everything_in_its_order()
    {
        var (reply, exchange) = await client.RunAsync("""
            Console.Write("a"); Console.WriteLine("b"); Console.Error.Write("wrong");
            var shown = display("first"); Console.Write("c"); shown.Update("second");
            GradScope.Notebooks.CellContext.Current.ClearOutput(wait: true);
            40 + 2
            """);
        Assert.Equal(("ok", 1), ((string?)reply["status"], (int?)reply["execution_count"]));
        Assert.Equal(["status", "execute_input", "stream", "stream", "display_data", "stream", "update_display_data", "clear_output", "execute_result", "status"], exchange.Types);
        Assert.Equal(["ab\n", "wrong", "c"], exchange.Of("stream").Select(content => (string?)content["text"]));
        var (display, update) = (exchange.Of("display_data").Single(), exchange.Of("update_display_data").Single());
        Assert.Equal(("first", "second"), ((string?)display["data"]!["text/plain"], (string?)update["data"]!["text/plain"]));
        Assert.NotEmpty((string)display["transient"]!["display_id"]!);
        Assert.Equal((string?)display["transient"]!["display_id"], (string?)update["transient"]!["display_id"]);
        Assert.True((bool)exchange.Of("clear_output").Single()["wait"]!);
        var result = exchange.Of("execute_result").Single();
        Assert.Equal(("42", 1), ((string?)result["data"]!["text/plain"], (int?)result["execution_count"]));
    }

    [Fact]
    public async Task Text_in_many_pieces_and_two_streams_stays_in_order()
    {
        var (_, exchange) = await client.RunAsync("""
            for (var i = 0; i < 20000; i++) { (i % 1000 == 999 ? Console.Error : Console.Out).Write($"{i} "); if (i % 5000 == 0) display(i); }
            """);
        var numbers = exchange.Broadcasts.Where(message => message.Type == "stream").SelectMany(message => ((string)message.Content["text"]!).Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(int.Parse);
        Assert.Equal(Enumerable.Range(0, 20000), numbers);
        Assert.InRange(exchange.Of("stream").Count(), 40, 400);
        Assert.Equal(20, exchange.Of("stream").Count(content => (string?)content["name"] == "stderr"));
    }

    [Fact]
    public async Task What_is_printed_shows_before_its_cell_has_ended()
    {
        var cell = client.Send("execute_request", new { code = "Console.Write(\"early\"); await Task.Delay(-1);" });
        await cell.Until("stream", "early");
        await client.AskAsync("interrupt_request", new { }, JupyterChannel.Control);
        await cell.Idle.Task;
    }

    [Fact]
    public async Task A_cell_that_prints_without_end_is_cut_short()
    {
        var (_, exchange) = await client.RunAsync("var line = new string('x', 100_000); for (var i = 0; i < 120; i++) Console.Write(line);");
        Assert.Equal(10_000_000, exchange.Stream("stdout").Length);
        Assert.Equal("2000000 more characters were printed; 10000000 of a cell are shown.\n", exchange.Stream("stderr"));
    }

    [Fact]
    public async Task An_error_has_a_traceback_with_the_cells_line()
    {
        var (reply, exchange) = await client.RunAsync("\nthrow new FormatException(\"broken\");");
        var error = exchange.Of("error").Single();
        Assert.Equal(("error", "FormatException", "broken"), ((string?)reply["status"], (string?)reply["ename"], (string?)reply["evalue"]));
        Assert.Equal(("FormatException", "broken"), ((string?)error["ename"], (string?)error["evalue"]));
        Assert.Contains(error["traceback"]!.AsArray(), line => ((string)line!).Contains("cell 1, line 2", StringComparison.Ordinal));
        Assert.Equal(error["traceback"]!.ToJsonString(), reply["traceback"]!.ToJsonString());
    }

    [Fact]
    public async Task A_silent_cell_shows_nothing_and_is_not_counted()
    {
        var (reply, exchange) = await client.AskAsync("execute_request", new { code = "var quiet = 5; Console.Write(1); quiet", silent = true, store_history = true });
        Assert.Equal(("ok", 0), ((string?)reply["status"], (int?)reply["execution_count"]));
        Assert.Equal(["status", "status"], exchange.Types);
        var (next, _) = await client.RunAsync("quiet");
        Assert.Equal(1, (int?)next["execution_count"]);
    }

    [Fact]
    public async Task A_cell_that_is_not_kept_shows_but_is_not_counted()
    {
        var (reply, exchange) = await client.AskAsync("execute_request", new { code = "1 + 1", store_history = false });
        Assert.Equal(0, (int?)reply["execution_count"]);
        Assert.Single(exchange.Of("execute_result"));
        Assert.Empty(await HistoryAsync(new { hist_access_type = "tail", n = 10 }));
    }

    [Fact]
    public async Task User_expressions_are_evaluated_each_for_itself()
    {
        var (reply, exchange) = await client.AskAsync("execute_request", new
        {
            code = "var x = 20;",
            user_expressions = new { good = "x * 2 + 2", wrong = "nope", thrown = "int.Parse(\"x\")" },
        });
        var values = reply["user_expressions"]!;
        Assert.Equal(("ok", "42"), ((string?)values["good"]!["status"], (string?)values["good"]!["data"]!["text/plain"]));
        Assert.Equal(("error", "CompilationError"), ((string?)values["wrong"]!["status"], (string?)values["wrong"]!["ename"]));
        Assert.Equal(("error", "FormatException"), ((string?)values["thrown"]!["status"], (string?)values["thrown"]!["ename"]));
        Assert.Equal(["status", "execute_input", "status"], exchange.Types);
    }

    [Fact]
    public async Task After_a_failure_cells_that_wait_are_aborted()
    {
        var sent = new List<FakeClient.Exchange> { client.Send("execute_request", new { code = "await Task.Delay(300); throw new Exception();" }) };
        sent.AddRange(Enumerable.Range(0, 3).Select(i => client.Send("execute_request", new { code = $"Console.Write({i});" })));
        var info = client.Send("kernel_info_request", new { });
        var replies = await Task.WhenAll(sent.Select(exchange => exchange.Reply.Task));
        Assert.Equal(["error", "aborted", "aborted", "aborted"], replies.Select(reply => (string?)reply["status"]));
        Assert.Equal("ok", (string?)(await info.Reply.Task)["status"]);
        Assert.Equal("ok", (string?)(await client.RunAsync("1")).Reply["status"]);
    }

    [Fact]
    public async Task A_failure_that_is_not_to_stop_lets_the_next_cells_run()
    {
        var first = client.Send("execute_request", new { code = "await Task.Delay(300); throw new Exception();", stop_on_error = false });
        var second = client.Send("execute_request", new { code = "1" });
        Assert.Equal("error", (string?)(await first.Reply.Task)["status"]);
        Assert.Equal("ok", (string?)(await second.Reply.Task)["status"]);
    }

    [Theory]
    [InlineData("while (true) { }")]
    [InlineData("await Task.Delay(-1);")]
    [InlineData("System.Threading.Thread.Sleep(-1);")]
    public async Task An_interrupt_stops_a_cell_and_keeps_what_was_declared(string endless)
    {
        await client.RunAsync("var kept = 7;");
        var cell = client.Send("execute_request", new { code = $"Console.Write(\"under way\"); {endless}" });
        await cell.Until("stream", "under way");
        Assert.Equal("ok", (string?)(await client.AskAsync("interrupt_request", new { }, JupyterChannel.Control)).Reply["status"]);
        var reply = await cell.Reply.Task;
        Assert.Equal(("error", "Interrupted"), ((string?)reply["status"], (string?)reply["ename"]));
        Assert.Single(cell.Of("error"));
        Assert.Equal("7", (string?)(await client.RunAsync("kept")).Exchange.Of("execute_result").Single()["data"]!["text/plain"]);
    }

    [Theory]
    [InlineData("status", "while (true) { }")]
    [InlineData("status", "await Task.Delay(-1);")]
    [InlineData("execute_input", "while (true) { }")]
    [InlineData("execute_input", "System.Threading.Thread.Sleep(-1);")]
    [InlineData("display_data", "while (true) { }")]
    [InlineData("display_data", "await Task.Delay(-1);")]
    [InlineData("display_data", "System.Threading.Thread.Sleep(-1);")]
    [InlineData("display_data", "while (true) { Console.WriteLine(1); }")]
    [InlineData("stream", "while (true) { }")]
    [InlineData("stream", "while (true) { Console.WriteLine(1); }")]
    public async Task An_interrupt_is_not_lost_whatever_the_cell_is_at(string at, string endless)
    {
        var hasCome = false;
        client.OnBroadcast = message =>
        {
            if (message.Type == at && !hasCome)
            {
                hasCome = true;
                client.Kernel.Interrupt();
            }
        };
        var (reply, _) = await client.RunAsync($"Console.Write(\"before\"); display(1); {endless}");
        Assert.Equal("Interrupted", (string?)reply["ename"]);
        Assert.Equal("ok", (string?)(await client.RunAsync("1")).Reply["status"]);
    }

    [Fact]
    public async Task An_interrupt_while_the_expressions_are_evaluated_stops_them_and_not_the_next_cell()
    {
        client.OnBroadcast = message =>
        {
            if (message.Type == "execute_result")
                client.Kernel.Interrupt();
        };
        var (reply, _) = await client.AskAsync("execute_request", new { code = "display(1); 2", user_expressions = new { endless = "Task.Delay(-1).Wait()" } });
        Assert.Equal("error", (string?)(reply["user_expressions"]?["endless"] ?? reply)["status"]);
        client.OnBroadcast = _ => { };
        Assert.Equal("ok", (string?)(await client.RunAsync("1")).Reply["status"]);
    }

    [Fact]
    public async Task A_message_that_cannot_be_sent_costs_that_one_alone()
    {
        var isBroken = true;
        client.OnBroadcast = _ =>
        {
            if (isBroken)
                throw new IOException("no way out");
        };
        client.Send("kernel_info_request", new { });
        client.Send("kernel_info_request", new { }, JupyterChannel.Control);
        await FakeClient.Until(() => client.Log.Count(line => line.Contains("its answer could not be sent", StringComparison.Ordinal)) == 2, "both are not told of");
        isBroken = false;
        Assert.Equal("ok", (string?)(await client.RunAsync("1")).Reply["status"]);
        Assert.Equal("ok", (string?)(await client.AskAsync("interrupt_request", new { }, JupyterChannel.Control)).Reply["status"]);
    }

    [Fact]
    public async Task An_interrupt_without_a_cell_is_answered()
    {
        Assert.Equal("ok", (string?)(await client.AskAsync("interrupt_request", new { }, JupyterChannel.Control)).Reply["status"]);
        Assert.Equal("ok", (string?)(await client.RunAsync("1")).Reply["status"]);
    }

    [Fact]
    public async Task Console_input_is_asked_of_the_client()
    {
        var answers = new Queue<string>(["Ada", "xy", ""]);
        client.Input = answers.Dequeue;
        var (_, exchange) = await client.RunAsync("Console.Write(\"name? \"); var name = Console.ReadLine(); Console.Write($\"<{name}><{(char)Console.Read()}{Console.In.ReadLine()}><{Console.ReadLine()}>\");");
        Assert.Equal("name? <Ada><xy><>", exchange.Stream("stdout"));
    }

    [Fact]
    public async Task Waiting_for_input_can_be_interrupted()
    {
        client.Input = null;
        var cell = client.Send("execute_request", new { code = "Console.Write(\"name? \"); Console.ReadLine();", allow_stdin = true });
        await cell.Until("stream", "name? ");
        client.Kernel.Interrupt();
        Assert.Equal("Interrupted", (string?)(await cell.Reply.Task)["ename"]);
    }

    [Fact]
    public async Task A_client_that_takes_no_input_is_told_of_in_the_error()
    {
        var (reply, _) = await client.RunAsync("Console.ReadLine()");
        Assert.Equal("Console input: the client that runs this cell takes none; give the value in the cell", (string?)reply["evalue"]);
    }

    [Theory]
    [InlineData("1 + 1", "complete", null)]
    [InlineData("for (;;) {", "incomplete", "    ")]
    [InlineData("if (true)\n{\n  f(1,", "incomplete", "  ")]
    [InlineData("int a b;", "invalid", null)]
    [InlineData("#!time\nvar x = 1;", "complete", null)]
    [InlineData("#!markdown\n# for (;;) {", "complete", null)]
    public async Task Is_complete_tells_whether_a_line_is_missing(string code, string status, string? indent)
    {
        var (reply, _) = await client.AskAsync("is_complete_request", new { code });
        Assert.Equal((status, indent), ((string?)reply["status"], (string?)reply["indent"]));
    }

    [Fact]
    public async Task Completion_counts_code_points()
    {
        await client.RunAsync("var numbers = new List<int>();");
        var code = "var s = \"𝛁𝛁\"; numbers.Ad; 1";
        var (reply, _) = await client.AskAsync("complete_request", new { code, cursor_pos = 24 });
        Assert.Equal(["Add", "AddRange"], reply["matches"]!.AsArray().Select(match => (string?)match));
        Assert.Equal((22, 24), ((int?)reply["cursor_start"], (int?)reply["cursor_end"]));
        Assert.Equal("method", (string?)reply["metadata"]!["_jupyter_types_experimental"]![0]!["type"]);
    }

    [Fact]
    public async Task Inspection_shows_signature_and_documentation()
    {
        var (reply, _) = await client.AskAsync("inspect_request", new { code = "var x = HTML(\"\")", cursor_pos = 10 });
        Assert.True((bool)reply["found"]!);
        Assert.Equal("Microsoft.AspNetCore.Html.IHtmlContent GradScope.Notebooks.CellDisplay.HTML(string content)\n\nText that is HTML already, to be shown as it stands.", (string?)reply["data"]!["text/plain"]);
        var (nothing, _) = await client.AskAsync("inspect_request", new { code = "   ", cursor_pos = 1 });
        Assert.Equal((false, "{}"), ((bool)nothing["found"]!, nothing["data"]!.ToJsonString()));
    }

    [Fact]
    public async Task History_is_found_by_tail_range_and_pattern()
    {
        await client.RunAsync("1");
        await client.RunAsync("\"two\"");
        await client.RunAsync("1");
        Assert.Equal(["[1,2,\"\\u0022two\\u0022\"]", "[1,3,\"1\"]"], (await HistoryAsync(new { hist_access_type = "tail", n = 2 })).Select(row => row!.ToJsonString()));
        Assert.Equal(["[1,1,\"1\"]"], (await HistoryAsync(new { hist_access_type = "range", session = 0, start = 1, stop = 2 })).Select(row => row!.ToJsonString()));
        Assert.Equal(["[1,3,[\"1\",\"1\"]]"], (await HistoryAsync(new { hist_access_type = "search", pattern = "1*", unique = true, output = true })).Select(row => row!.ToJsonString()));
        Assert.Equal("error", (string?)(await client.AskAsync("history_request", new { hist_access_type = "x" })).Reply["status"]);
    }

    [Fact]
    public async Task Comms_are_none_and_are_closed_again()
    {
        Assert.Equal("{}", (await client.AskAsync("comm_info_request", new { })).Reply["comms"]!.ToJsonString());
        var opened = client.Send("comm_open", new { comm_id = "c1", target_name = "widgets" });
        await opened.Idle.Task;
        Assert.Equal("c1", (string?)opened.Of("comm_close").Single()["comm_id"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_shutdown_is_answered_and_ends_the_kernel(bool restart)
    {
        var busy = client.Send("execute_request", new { code = "Console.Write(\"under way\"); while (true) { }" });
        await busy.Until("stream", "under way");
        var (reply, _) = await client.AskAsync("shutdown_request", new { restart }, JupyterChannel.Control);
        Assert.Equal(("ok", restart), ((string?)reply["status"], (bool)reply["restart"]!));
        await client.Kernel.Ended;
    }

    [Fact]
    public async Task What_cannot_be_served_is_told_and_the_next_request_is_served()
    {
        var (reply, _) = await client.AskAsync("execute_request", new { text = "1" });
        Assert.Equal(("error", "execute_request: its content has no 'code' that is a text"), ((string?)reply["status"], (string?)reply["evalue"]));
        await client.Send("fly_request", new { }).Idle.Task;
        Assert.Equal(["execute_request: its content has no 'code' that is a text", "fly_request is not known here and is ignored"], client.Log);
        Assert.Equal("ok", (string?)(await client.RunAsync("1")).Reply["status"]);
    }

    private async Task<JsonArray> HistoryAsync(object request) => (await client.AskAsync("history_request", request)).Reply["history"]!.AsArray();
}
