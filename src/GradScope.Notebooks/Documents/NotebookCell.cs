using System.Text.Json.Nodes;

namespace GradScope.Notebooks;

/// <summary>What a cell of a notebook holds.</summary>
public enum CellKind
{
    /// <summary>Something to run.</summary>
    Code,

    /// <summary>Markdown to read.</summary>
    Markdown,

    /// <summary>Text that is passed through to converters, neither run nor rendered.</summary>
    Raw,
}

/// <summary>One cell: a view on its JSON, so that whatever else the cell carries stays with it.</summary>
public sealed class NotebookCell
{
    private readonly JsonObject json;

    internal NotebookCell(JsonObject json)
    {
        this.json = json;
        Kind = (string?)json["cell_type"] switch { "code" => CellKind.Code, "raw" => CellKind.Raw, _ => CellKind.Markdown };
    }

    /// <summary>Whether the cell is code, Markdown or raw text.</summary>
    public CellKind Kind { get; }

    /// <summary>The cell's id, unique in its notebook.</summary>
    public string Id => (string)json["id"]!;

    /// <summary>The cell's text, lines separated by <c>\n</c>.</summary>
    public string Source
    {
        get => NotebookJson.Text(json["source"]);
        internal set => json["source"] = NotebookJson.Lines(value);
    }

    /// <summary>Which run of its session filled the outputs; null for a cell that has not been run.</summary>
    public int? ExecutionCount
    {
        get => json["execution_count"] is JsonValue value && value.TryGetValue(out int count) ? count : null;
        internal set => json["execution_count"] = value;
    }

    /// <summary>The cell's tags; a cell tagged <c>raises-exception</c> is expected to fail.</summary>
    public IReadOnlyList<string> Tags =>
        NotebookJson.At(json, "metadata", "tags") is JsonArray tags ? [.. tags.Select(tag => tag?.ToString() ?? "")] : [];

    /// <summary>
    /// The kernel that Polyglot Notebooks noted for this cell (<c>csharp</c>, <c>html</c>, <c>fsharp</c>…); null where the
    /// notebook's own language holds.
    /// </summary>
    public string? Language =>
        (NotebookJson.At(json, "metadata", "polyglot_notebook", "kernelName")
            ?? NotebookJson.At(json, "metadata", "dotnet_interactive", "language"))?.ToString();

    /// <summary>Outputs in nbformat's own form (<c>output_type</c>, <c>data</c>, <c>text</c>…).</summary>
    public JsonArray Outputs => json["outputs"] as JsonArray ?? [];

    /// <summary>Images that Markdown refers to as <c>attachment:name</c>, by name and MIME type.</summary>
    public JsonObject? Attachments => json["attachments"] as JsonObject;

    /// <summary>Forgets what an earlier run left: outputs and execution count.</summary>
    internal JsonArray ClearOutputs()
    {
        json["execution_count"] = null;
        var outputs = new JsonArray();
        json["outputs"] = outputs;
        return outputs;
    }
}
