namespace GradScope.Notebooks.Tests;

/// <summary>A session with what its cells have put out, in a form that reads well in an assertion.</summary>
public sealed class Cells(SessionOptions? options = null) : IDisposable
{
    private readonly CSharpSession session = new(options);

    public List<CellOutput> Outputs { get; } = [];

    /// <summary>The last cell's console text and shown values, in order, one string each.</summary>
    public IEnumerable<string> Shown => Merged().Select(output => output switch
    {
        CellOutput.Stream stream => $"{stream.Name}: {stream.Text}",
        CellOutput.Display display => $"display: {Text(display.Data)}",
        CellOutput.Update update => $"update: {Text(update.Data)}",
        CellOutput.Result result => $"result: {Text(result.Data)}",
        CellOutput.Error error => $"error: {error.Message}",
        _ => throw new InvalidOperationException(output.ToString()),
    });

    public async Task<CellResult> RunAsync(string code, string language = "csharp", CancellationToken stop = default)
    {
        Outputs.Clear();
        return await session.ExecuteAsync(code, Outputs.Add, language, stop);
    }

    /// <summary>Runs a cell that must succeed, and gives what its last expression shows.</summary>
    public async Task<string> ValueAsync(string code)
    {
        var result = await RunAsync(code);
        Assert.True(result.Succeeded, $"{code}\nfailed: {result.Error?.Message}");
        return Text(Outputs.OfType<CellOutput.Result>().Single().Data);
    }

    /// <summary>Runs a cell that must fail.</summary>
    public async Task<CellOutput.Error> ErrorAsync(string code)
    {
        var result = await RunAsync(code);
        Assert.NotNull(result.Error);
        Assert.Same(result.Error, Outputs[^1]);
        return result.Error;
    }

    /// <summary>Stops a cell once it has said that it is under way.</summary>
    public async Task<CellResult> StopAsync(string code)
    {
        Outputs.Clear();
        using var stop = new CancellationTokenSource();
        var result = await session.ExecuteAsync($"Console.WriteLine(\"under way\");{code}", output =>
        {
            // Once: each call begins the wait anew, and a cell may put out more all the time.
            if (Outputs.Count == 0)
                stop.CancelAfter(50);
            Outputs.Add(output);
        }, stop: stop.Token);
        Assert.True(result.WasStopped);
        return result;
    }

    public void Dispose() => session.Dispose();

    public static string Text(MimeBundle data)
    {
        var text = data.TryGet("text/plain", out var plain) ? plain : data.First().Value;
        return Between(text, "<pre>", "</pre>") ?? text;
    }

    private IEnumerable<CellOutput> Merged()
    {
        CellOutput.Stream? open = null;
        foreach (var output in Outputs)
        {
            if (output is CellOutput.Stream next && (open is null || open.Name == next.Name))
            {
                open = next with { Text = open?.Text + next.Text };
                continue;
            }
            if (open is not null)
                yield return open;
            open = output as CellOutput.Stream;
            if (open is null)
                yield return output;
        }
        if (open is not null)
            yield return open;
    }

    private static string? Between(string text, string start, string end)
    {
        var from = text.IndexOf(start, StringComparison.Ordinal);
        var to = text.IndexOf(end, StringComparison.Ordinal);
        return from < 0 || to < from ? null : text[(from + start.Length)..to];
    }
}
