using System.IO.Enumeration;
using System.Text.Json.Nodes;

namespace GradScope.Notebooks;

/// <summary>What was run in this kernel, for clients that let their user walk through it. There is one session, number 1.</summary>
internal sealed class CellHistory
{
    private const int Session = 1;

    private readonly List<Entry> entries = [];

    private sealed record Entry(int Line, string Input, string? Output);

    /// <param name="line">The cell's execution count.</param>
    /// <param name="input">The cell's text.</param>
    /// <param name="output">The text of its value; null where it had none.</param>
    public void Add(int line, string input, string? output) => entries.Add(new(line, input, output));

    /// <summary>The rows that a <c>history_request</c> asks for, oldest first.</summary>
    public JsonArray Find(JupyterRequest request)
    {
        var withOutput = request.Flag("output", otherwise: false);
        IEnumerable<Entry> found = request.Text("hist_access_type") switch
        {
            "range" => Range(request),
            "search" => Search(request),
            "tail" => entries,
            var other => throw new JupyterProtocolException($"history_request: '{other}' is none of range, tail and search"),
        };
        if (request.OptionalNumber("n") is { } count)
            found = found.TakeLast(count);
        return [.. found.Select(entry => (JsonNode)new JsonArray(Session, entry.Line,
            withOutput ? new JsonArray(entry.Input, entry.Output) : entry.Input))];
    }

    /// <summary>Session 0 is the current one; the end is not part of the range.</summary>
    private IEnumerable<Entry> Range(JupyterRequest request)
    {
        if (request.OptionalNumber("session") is not (null or 0 or Session))
            return [];
        var start = request.OptionalNumber("start") ?? 0;
        var stop = request.OptionalNumber("stop") ?? int.MaxValue;
        return entries.Where(entry => entry.Line >= start && entry.Line < stop);
    }

    private IEnumerable<Entry> Search(JupyterRequest request)
    {
        var pattern = request.OptionalText("pattern") ?? "*";
        var found = entries.Where(entry => FileSystemName.MatchesSimpleExpression(pattern, entry.Input, ignoreCase: false));
        return request.Flag("unique", otherwise: false) ? found.Reverse().DistinctBy(entry => entry.Input).Reverse() : found;
    }
}
