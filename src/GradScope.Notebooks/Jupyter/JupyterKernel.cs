using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace GradScope.Notebooks;

/// <summary>
/// What a Jupyter kernel does, apart from its sockets: messages come in through <see cref="Receive"/> and go out through a
/// callback. Requests on the shell channel are answered one after another, those on the control channel at once.
/// </summary>
internal sealed class JupyterKernel : IDisposable
{
    private static readonly TimeSpan moment = TimeSpan.FromSeconds(0.5);

    private readonly Action<JupyterMessage> send;
    private readonly TextWriter log;
    private readonly Task<CSharpSession> starting;
    private readonly CellHistory history = new();
    private readonly Channel<(JupyterRequest Request, long Number)> shell = Channel.CreateUnbounded<(JupyterRequest, long)>();
    private readonly Channel<JupyterRequest> control = Channel.CreateUnbounded<JupyterRequest>();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private CancellationTokenSource? stop;
    private JupyterRequest? running;
    private Action flush = () => { };
    private TaskCompletionSource<string>? answer;
    private long received, abortedUpTo;
    private CancellationTokenSource? warming;
    private bool isAttended, isWarm;

    /// <param name="options">What cells find; their console's input is asked of the client.</param>
    /// <param name="send">Sends a message; called from several threads.</param>
    /// <param name="log">Told of requests that cannot be served.</param>
    public JupyterKernel(SessionOptions options, Action<JupyterMessage> send, TextWriter log)
    {
        this.send = send;
        // Requests on shell and control may fail at the same time.
        this.log = TextWriter.Synchronized(log);
        // What a client asks first needs no compiler.
        starting = Task.Run(() =>
        {
            CSharpSession.WarmUp();
            return new CSharpSession(options with { ReadLine = ReadLine });
        });
        _ = Task.Run(ServeShellAsync);
        _ = Task.Run(ServeControlAsync);
    }

    /// <summary>Ends when a client has asked for that, or <see cref="Shutdown"/> was called.</summary>
    public Task Ended => ended.Task;

    /// <summary>Takes a message in; never waits.</summary>
    public void Receive(JupyterRequest request)
    {
        switch (request.Channel)
        {
            case JupyterChannel.Shell:
                shell.Writer.TryWrite((request, Interlocked.Increment(ref received)));
                break;
            case JupyterChannel.Control:
                control.Writer.TryWrite(request);
                break;
            case JupyterChannel.Stdin when request.Type == "input_reply":
                lock (gate)
                    answer?.TrySetResult(request.OptionalText("value") ?? "");
                break;
            default:
                log.WriteLine($"{request.Type} on {request.Channel.ToString().ToLowerInvariant()} is not known here and is ignored");
                break;
        }
    }

    /// <summary>Stops the cell that runs, if one does.</summary>
    public void Interrupt()
    {
        CancellationTokenSource? current;
        lock (gate)
            current = stop;
        current?.Cancel();
    }

    /// <summary>Ends the kernel; a cell that runs is left to the end of the process.</summary>
    public void Shutdown()
    {
        shell.Writer.TryComplete();
        control.Writer.TryComplete();
        Interrupt();
        ended.TrySetResult();
    }

    public void Dispose()
    {
        Shutdown();
        if (starting.IsCompletedSuccessfully)
            starting.Result.Dispose();
    }

    private async Task ServeShellAsync()
    {
        await foreach (var (request, number) in shell.Reader.ReadAllAsync())
        {
            // From the first word of a request on, an interrupt is for it: the cell may be to stop before it has begun.
            lock (gate)
            {
                (stop, running) = (new(), request);
                warming?.Cancel();
            }
            await ServeAsync(request, isAborted: number <= Interlocked.Read(ref abortedUpTo));
            lock (gate)
                (stop, running) = (null, null);
            if (!shell.Reader.TryPeek(out _))
                _ = WarmUpAsync();
        }
    }

    /// <summary>
    /// Gets completion ready where somebody sits at the client, once no request has come for a moment: a cell that runs meanwhile takes
    /// longer, so one that comes ends it, and it is begun anew after.
    /// </summary>
    private async Task WarmUpAsync()
    {
        var session = await starting;
        await session.Ready;
        CancellationToken token;
        lock (gate)
        {
            if (!isAttended || isWarm || running is not null || warming is not null)
                return;
            warming = new();
            token = warming.Token;
        }
        try
        {
            await Task.Delay(moment, token);
            await session.Completion.CompleteAsync("1.", 2, token);
            isWarm = true;
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            lock (gate)
                warming = null;
        }
    }

    private async Task ServeControlAsync()
    {
        await foreach (var request in control.Reader.ReadAllAsync())
            await ServeAsync(request);
    }

    /// <summary>Whatever goes wrong with one request, the next is served.</summary>
    private async Task ServeAsync(JupyterRequest request, bool isAborted = false)
    {
        try
        {
            Status(request, "busy");
            // Clients that run a notebook unattended ask for none of these.
            isAttended |= request.Type is "comm_info_request" or "is_complete_request" or "history_request";
            try
            {
                if (isAborted && request.Type == "execute_request")
                    Reply(request, new() { ["status"] = "aborted" });
                else if (await AnswerAsync(request) is { } content)
                    Reply(request, content);
            }
            catch (Exception error)
            {
                // A client waits for its reply, whatever it has asked for.
                log.WriteLine(error is JupyterProtocolException ? error.Message : $"{request.Type} failed: {error}");
                Reply(request, Failed(new(error.GetType().Name, error.Message, [error.Message], Line: null)));
            }
            finally
            {
                Status(request, "idle");
            }
        }
        catch (Exception error)
        {
            log.WriteLine($"{request.Type}: its answer could not be sent: {error}");
        }
        if (request.Type == "shutdown_request")
            Shutdown();
    }

    private async Task<JsonObject?> AnswerAsync(JupyterRequest request) => request.Type switch
    {
        "kernel_info_request" => KernelInfo(),
        "execute_request" when request.Channel == JupyterChannel.Shell => await ExecuteAsync(request),
        "is_complete_request" => IsComplete(request),
        "complete_request" => await CompleteAsync(request),
        "inspect_request" => await InspectAsync(request),
        "history_request" => new() { ["status"] = "ok", ["history"] = history.Find(request) },
        "comm_info_request" => new() { ["status"] = "ok", ["comms"] = new JsonObject() },
        "comm_open" => CloseComm(request),
        "interrupt_request" => Interrupted(),
        "shutdown_request" => new() { ["status"] = "ok", ["restart"] = request.Flag("restart", otherwise: false) },
        _ => Unknown(request),
    };

    private static JsonObject KernelInfo() => new()
    {
        ["status"] = "ok",
        ["protocol_version"] = JupyterWire.ProtocolVersion,
        ["implementation"] = "gradscope",
        ["implementation_version"] = Version,
        ["language_info"] = new JsonObject
        {
            ["name"] = "C#",
            ["version"] = "14.0",
            ["mimetype"] = "text/x-csharp",
            ["file_extension"] = ".cs",
            ["pygments_lexer"] = "csharp",
            ["codemirror_mode"] = "text/x-csharp",
        },
        ["banner"] = $"GradScope {Version}: C# 14 on {RuntimeInformation.FrameworkDescription}",
        ["help_links"] = new JsonArray(new JsonObject { ["text"] = "C#", ["url"] = "https://learn.microsoft.com/dotnet/csharp/" }),
    };

    private static string Version { get; } = typeof(JupyterKernel).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private async Task<JsonObject> ExecuteAsync(JupyterRequest request)
    {
        var code = request.Text("code");
        var session = await starting;
        var isSilent = request.Flag("silent", otherwise: false);
        var isKept = !isSilent && request.Flag("store_history", otherwise: true);
        var count = session.ExecutionCount + (isKept ? 1 : 0);
        if (!isSilent)
            Broadcast(request, "execute_input", new() { ["code"] = code, ["execution_count"] = count });

        string? value = null;
        CellResult result;
        using (var outputs = new KernelOutputs((type, content) => Broadcast(request, type, content), count))
        {
            result = await RunAsync(code, outputs.Flush, isKept, output =>
            {
                if (output is CellOutput.Result { Data: var data } && data.TryGet("text/plain", out var text))
                    value = text;
                if (!isSilent)
                    outputs.Add(output);
            });
            if (result.WasStopped && !isSilent)
                outputs.Add(stopped);
        }
        if (isKept)
            history.Add(count, code, value);

        var reply = result switch
        {
            { Error: { } error } => Failed(error),
            { WasStopped: true } => Failed(stopped),
            _ => new() { ["status"] = "ok", ["payload"] = new JsonArray(), ["user_expressions"] = await EvaluateAsync(request) },
        };
        reply["execution_count"] = count;
        if (!result.Succeeded && request.Flag("stop_on_error", otherwise: true))
            Interlocked.Exchange(ref abortedUpTo, Interlocked.Read(ref received));
        return reply;
    }

    private static readonly CellOutput.Error stopped = new("Interrupted", "the cell was stopped", ["The cell was stopped; what earlier cells declared is still there."], Line: null);

    /// <summary>Runs code of the request that is being served: an interrupt stops it, and it may ask the client for input.</summary>
    private async Task<CellResult> RunAsync(string code, Action flushOutputs, bool isCounted, Action<CellOutput> publish)
    {
        CancellationToken token;
        lock (gate)
            (token, flush) = (stop!.Token, flushOutputs);
        return await (await starting).ExecuteAsync(code, publish, isCounted: isCounted, stop: token);
    }

    /// <summary>The values of the request's expressions; one that fails does not keep the others from theirs.</summary>
    private async Task<JsonObject> EvaluateAsync(JupyterRequest request)
    {
        var values = new JsonObject();
        if (!request.Content.TryGetProperty("user_expressions", out var expressions) || expressions.ValueKind != JsonValueKind.Object)
            return values;
        foreach (var expression in expressions.EnumerateObject())
        {
            var outputs = new ConcurrentQueue<CellOutput>();
            var result = await RunAsync(expression.Value.ToString(), () => { }, isCounted: false, outputs.Enqueue);
            values[expression.Name] = result.Succeeded
                ? new()
                {
                    ["status"] = "ok",
                    ["data"] = outputs.OfType<CellOutput.Result>().LastOrDefault()?.Data.ToJson() ?? [],
                    ["metadata"] = new JsonObject(),
                }
                : Failed(result.Error ?? stopped);
        }
        return values;
    }

    /// <summary>Asks the client of the running cell for a line.</summary>
    private string ReadLine(CancellationToken cancel)
    {
        JupyterRequest request;
        TaskCompletionSource<string> pending;
        lock (gate)
        {
            request = running ?? throw new InvalidOperationException("Console input: the cell that asks for it has ended");
            if (!request.Flag("allow_stdin", otherwise: false))
                throw new InvalidOperationException("Console input: the client that runs this cell takes none; give the value in the cell");
            answer = pending = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        flush();
        send(request.Answer(JupyterChannel.Stdin, "input_request", new() { ["prompt"] = "", ["password"] = false }));
        try
        {
            pending.Task.Wait(cancel);
            return pending.Task.Result;
        }
        finally
        {
            lock (gate)
                answer = null;
        }
    }

    private JsonObject IsComplete(JupyterRequest request)
    {
        var (status, indent) = CodeCompletion.IsComplete(request.Text("code"));
        return status == "incomplete" ? new() { ["status"] = status, ["indent"] = indent } : new() { ["status"] = status };
    }

    private async Task<JsonObject> CompleteAsync(JupyterRequest request)
    {
        var code = request.Text("code");
        var found = await (await starting).Completion.CompleteAsync(code, CodePoints.ToIndex(code, request.Number("cursor_pos")));
        var (start, end) = (CodePoints.ToCount(code, found.Start), CodePoints.ToCount(code, found.End));
        return new()
        {
            ["status"] = "ok",
            ["matches"] = new JsonArray([.. found.Items.Select(item => JsonValue.Create(item.Text))]),
            ["cursor_start"] = start,
            ["cursor_end"] = end,
            ["metadata"] = new JsonObject
            {
                // JupyterLab shows the kinds beside the names.
                ["_jupyter_types_experimental"] = new JsonArray([.. found.Items.Select(item => new JsonObject
                {
                    ["text"] = item.Text, ["type"] = item.Kind, ["start"] = start, ["end"] = end,
                })]),
            },
        };
    }

    private async Task<JsonObject> InspectAsync(JupyterRequest request)
    {
        var code = request.Text("code");
        var found = await (await starting).Completion.InspectAsync(code, CodePoints.ToIndex(code, request.Number("cursor_pos")));
        return new()
        {
            ["status"] = "ok",
            ["found"] = found is not null,
            ["data"] = found?.ToJson() ?? [],
            ["metadata"] = new JsonObject(),
        };
    }

    /// <summary>No target is registered here, so the protocol has the comm closed again.</summary>
    private JsonObject? CloseComm(JupyterRequest request)
    {
        Broadcast(request, "comm_close", new() { ["comm_id"] = request.Text("comm_id"), ["data"] = new JsonObject() });
        return null;
    }

    private JsonObject Interrupted()
    {
        Interrupt();
        return new() { ["status"] = "ok" };
    }

    private JsonObject? Unknown(JupyterRequest request)
    {
        log.WriteLine($"{request.Type} is not known here and is ignored");
        return null;
    }

    private static JsonObject Failed(CellOutput.Error error)
    {
        var content = KernelOutputs.Failure(error);
        content["status"] = "error";
        return content;
    }

    private void Reply(JupyterRequest request, JsonObject content) =>
        send(request.Answer(request.Channel, request.Type.Replace("_request", "_reply", StringComparison.Ordinal), content));

    private void Status(JupyterRequest request, string state) => Broadcast(request, "status", new() { ["execution_state"] = state });

    private void Broadcast(JupyterRequest request, string type, JsonObject content) =>
        send(request.Answer(JupyterChannel.Iopub, type, content));
}
