using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace GradScope.Notebooks;

/// <summary>
/// Turns one cell's outputs into messages. Consecutive text of one stream becomes one message: it is sent when something
/// else follows, when it has grown long, or a moment after it was printed.
/// </summary>
internal sealed class KernelOutputs : IDisposable
{
    /// <summary>What a cell may print, in characters; a loop that prints for ever must not fill the client's memory.</summary>
    private const int StreamLimit = 10_000_000;
    private const int Long = 1 << 16;
    private static readonly TimeSpan moment = TimeSpan.FromMilliseconds(40);

    private readonly Lock gate = new();
    private readonly Action<string, JsonObject> send;
    private readonly int executionCount;
    private readonly Timer timer;
    private readonly StringBuilder text = new();
    private string stream = "stdout";
    private long printed;

    /// <param name="send">Sends a message of a type and content to all clients.</param>
    /// <param name="executionCount">The number of the cell's run.</param>
    public KernelOutputs(Action<string, JsonObject> send, int executionCount)
    {
        this.send = send;
        this.executionCount = executionCount;
        timer = new(_ => Flush());
    }

    public void Add(CellOutput output)
    {
        lock (gate)
        {
            if (output is CellOutput.Stream part)
            {
                Print(part);
                return;
            }
            Flush();
            var (type, content) = Message(output);
            send(type, content);
        }
    }

    /// <summary>Sends what was printed and is not sent yet.</summary>
    public void Flush()
    {
        lock (gate)
        {
            if (text.Length == 0)
                return;
            send("stream", new() { ["name"] = stream, ["text"] = text.ToString() });
            text.Clear();
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            if (printed > StreamLimit)
                Append("stderr", string.Create(CultureInfo.InvariantCulture, $"{printed - StreamLimit} more characters were printed; {StreamLimit} of a cell are shown.\n"));
            Flush();
        }
        timer.Dispose();
    }

    private void Print(CellOutput.Stream part)
    {
        var room = (int)Math.Clamp(StreamLimit - printed, 0, part.Text.Length);
        printed += part.Text.Length;
        if (room > 0)
            Append(part.Name, part.Text.AsSpan(0, room));
    }

    private void Append(string name, ReadOnlySpan<char> more)
    {
        if (stream != name)
            Flush();
        stream = name;
        if (text.Length == 0)
            timer.Change(moment, Timeout.InfiniteTimeSpan);
        text.Append(more);
        if (text.Length >= Long)
            Flush();
    }

    private (string Type, JsonObject Content) Message(CellOutput output) => output switch
    {
        CellOutput.Display display => ("display_data", Shown(display.Data, display.Id)),
        CellOutput.Update update => ("update_display_data", Shown(update.Data, update.Id)),
        CellOutput.Result result => ("execute_result", new()
        {
            ["execution_count"] = executionCount,
            ["data"] = result.Data.ToJson(),
            ["metadata"] = new JsonObject(),
        }),
        CellOutput.Clear clear => ("clear_output", new() { ["wait"] = clear.Wait }),
        CellOutput.Error error => ("error", Failure(error)),
        _ => throw new InvalidOperationException($"KernelOutputs: {output.GetType().Name} has no message"),
    };

    /// <summary>The content of an <c>error</c> message, which a failed reply has too.</summary>
    public static JsonObject Failure(CellOutput.Error error) => new()
    {
        ["ename"] = error.Name,
        ["evalue"] = error.Message,
        ["traceback"] = new JsonArray([.. error.Traceback.Select(line => JsonValue.Create(line))]),
    };

    private static JsonObject Shown(MimeBundle data, string? id) => new()
    {
        ["data"] = data.ToJson(),
        ["metadata"] = new JsonObject(),
        ["transient"] = id is null ? new JsonObject() : new JsonObject { ["display_id"] = id },
    };
}
