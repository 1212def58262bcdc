using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using GradScope.Notebooks;

namespace GradScope.Jupyter.Tests;

/// <summary>A client that meets the kernel without sockets.</summary>
internal sealed class FakeClient : IDisposable
{
    private static readonly TimeSpan patience = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Exchange> exchanges = [];
    private int count;

    private readonly LogWriter log = new();

    public FakeClient(SessionOptions? options = null) => Kernel = new(options ?? new(), Receive, log);

    public JupyterKernel Kernel { get; }

    public IEnumerable<string> Log => log.Lines;

    /// <summary>What an <c>input_request</c> is answered with; nothing is answered while it is null.</summary>
    public Func<string>? Input { get; set; }

    /// <summary>Called with each broadcast before anything else happens.</summary>
    public Action<JupyterMessage> OnBroadcast { get; set; } = _ => { };

    /// <summary>Everything that one request has led to.</summary>
    public sealed class Exchange
    {
        public ConcurrentQueue<JupyterMessage> Broadcasts { get; } = [];

        public TaskCompletionSource<JsonObject> Reply { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Idle { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Done once something that fits was broadcast.</summary>
        public Task Until(string type, string text) => FakeClient.Until(
            () => Broadcasts.Any(message => message.Type == type && message.Content.ToJsonString().Contains(text, StringComparison.Ordinal)), $"no {type} with {text} came");

        public IEnumerable<string> Types => Broadcasts.Select(message => message.Type);

        public IEnumerable<JsonObject> Of(string type) => Broadcasts.Where(message => message.Type == type).Select(message => message.Content);

        public string Stream(string name) => string.Concat(Of("stream").Where(content => (string?)content["name"] == name).Select(content => (string?)content["text"]));
    }

    public static async Task Until(Func<bool> condition, string otherwise)
    {
        var deadline = DateTime.UtcNow + patience;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, otherwise);
            await Task.Delay(5);
        }
    }

    public Exchange Send(string type, object content, JupyterChannel channel = JupyterChannel.Shell)
    {
        var header = $"{{\"msg_id\":\"{Interlocked.Increment(ref count)}\"}}";
        var exchange = exchanges[header] = new();
        Kernel.Receive(new(channel, [[1, 2, 3]], System.Text.Encoding.UTF8.GetBytes(header), type, JsonSerializer.SerializeToElement(content)));
        return exchange;
    }

    /// <summary>Sends a request and waits for its reply and the idle status after it.</summary>
    public async Task<(JsonObject Reply, Exchange Exchange)> AskAsync(string type, object content, JupyterChannel channel = JupyterChannel.Shell)
    {
        var exchange = Send(type, content, channel);
        var reply = await exchange.Reply.Task.WaitAsync(patience);
        await exchange.Idle.Task.WaitAsync(patience);
        return (reply, exchange);
    }

    public Task<(JsonObject Reply, Exchange Exchange)> RunAsync(string code) => AskAsync("execute_request", new { code, allow_stdin = Input is not null });

    public void Dispose() => Kernel.Dispose();

    /// <summary>May be read while the kernel writes.</summary>
    private sealed class LogWriter : TextWriter
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public override System.Text.Encoding Encoding => System.Text.Encoding.UTF8;

        public override void WriteLine(string? value) => Lines.Enqueue(value ?? "");
    }

    private void Receive(JupyterMessage message)
    {
        var exchange = exchanges[System.Text.Encoding.UTF8.GetString(message.Parent.Span)];
        switch (message.Channel)
        {
            case JupyterChannel.Iopub:
                OnBroadcast(message);
                Assert.Empty(message.Identities);
                exchange.Broadcasts.Enqueue(message);
                if (message.Type == "status" && (string?)message.Content["execution_state"] == "idle")
                    exchange.Idle.SetResult();
                break;
            case JupyterChannel.Stdin:
                if (Input is { } input)
                    Send("input_reply", new { value = input() }, JupyterChannel.Stdin);
                break;
            default:
                Assert.Equal([1, 2, 3], message.Identities.Single());
                exchange.Reply.SetResult(message.Content);
                break;
        }
    }
}
