using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace GradScope.Notebooks;

/// <summary>
/// A Jupyter notebook, nbformat 4.5. It keeps the JSON that it was read from: metadata, attachments, key order and whatever
/// else this host does not know survive reading and writing.
/// </summary>
public sealed partial class NotebookDocument
{
    private const string ChooseCSharp = "This host runs C# notebooks: choose the kernel .NET (C#) and save it again.";
    private const string Remedy = "Repair it, or open it in Jupyter or VS Code and save it again";

    private readonly JsonObject root;
    private readonly List<NotebookCell> cells;

    private NotebookDocument(JsonObject root, string name)
    {
        this.root = root;
        Name = name;
        cells = [.. root["cells"]!.AsArray().Select(cell => new NotebookCell(cell!.AsObject()))];
    }

    /// <summary>What messages call this notebook: its path as it was given, or any other name.</summary>
    public string Name { get; }

    /// <summary>The cells, top to bottom.</summary>
    public IReadOnlyList<NotebookCell> Cells => cells;

    /// <summary>The first Markdown heading as plain text; without one, the file's name.</summary>
    public string Title => Cells
        .Where(cell => cell.Kind == CellKind.Markdown)
        .Select(cell => Heading().Match(cell.Source))
        .FirstOrDefault(heading => heading.Success) is { } found
            ? Markdig.Markdown.ToPlainText(found.Groups["text"].Value).Trim()
            : Path.GetFileNameWithoutExtension(Name);

    /// <summary>The language in the notebook's metadata (<c>C#</c>, <c>python</c>…); null where none is noted.</summary>
    public string? Language =>
        (NotebookJson.At(root, "metadata", "kernelspec", "language")
            ?? NotebookJson.At(root, "metadata", "language_info", "name"))?.ToString();

    /// <summary>Makes sure that this host can run the notebook.</summary>
    /// <exception cref="NotebookFormatException">Its language or kernel is noted, and it is not C#.</exception>
    public void RequireCSharp()
    {
        if (Language is { } language && language.ToLowerInvariant() is not ("c#" or "csharp" or "polyglot-notebook"))
            throw new NotebookFormatException(Name, $"its language is {language}", ChooseCSharp);
        if (Language is null && NotebookJson.At(root, "metadata", "kernelspec", "name")?.ToString() is { } kernel
            && !kernel.Contains("csharp", StringComparison.OrdinalIgnoreCase) && !kernel.Contains("gradscope", StringComparison.OrdinalIgnoreCase))
            throw new NotebookFormatException(Name, $"its kernel is {kernel}", ChooseCSharp);
    }

    /// <summary>Reads a notebook from a file, <c>.ipynb</c> or <c>.dib</c>.</summary>
    /// <exception cref="NotebookFormatException">The file is not a notebook of format 4.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static NotebookDocument Load(string path)
    {
        var text = File.ReadAllText(path);
        return path.EndsWith(".dib", StringComparison.OrdinalIgnoreCase) ? DibFile.Parse(text, path) : Parse(text, path);
    }

    /// <summary>Reads a notebook from JSON; <paramref name="name"/> is what messages call it.</summary>
    /// <exception cref="NotebookFormatException">The text is not a notebook of format 4.</exception>
    public static NotebookDocument Parse(string json, string name)
    {
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(json, documentOptions: new() { AllowDuplicateProperties = false });
        }
        catch (JsonException error)
        {
            var place = $"line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}";
            throw new NotebookFormatException(name, $"not valid JSON at {place}: {FirstSentence(error.Message)}", Remedy + ".", error);
        }

        var root = node as JsonObject ?? throw Fault(name, "the file", "an object", node);
        Check(name, root);
        foreach (var cell in root["cells"]!.AsArray().Select(cell => cell!.AsObject()))
            Normalise(cell);
        root["metadata"] ??= new JsonObject();
        AddMissingIds(root);
        return new(root, name);
    }

    /// <summary>A notebook of the given cells that any C# notebook host runs: .NET kernelspec, cell ids, nbformat 4.5.</summary>
    public static NotebookDocument Create(string name, IEnumerable<(CellKind Kind, string Source, string? Language)> cells)
    {
        var root = new JsonObject
        {
            ["cells"] = new JsonArray([.. cells.Select(cell => NewCell(cell.Kind, cell.Source, cell.Language))]),
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject { ["display_name"] = ".NET (C#)", ["language"] = "C#", ["name"] = ".net-csharp" },
                ["language_info"] = new JsonObject { ["name"] = "C#" },
                ["polyglot_notebook"] = new JsonObject
                {
                    ["kernelInfo"] = new JsonObject
                    {
                        ["defaultKernelName"] = "csharp",
                        ["items"] = new JsonArray(new JsonObject { ["aliases"] = new JsonArray(), ["name"] = "csharp" }),
                    },
                },
            },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
        };
        AddMissingIds(root);
        return new(root, name);
    }

    /// <summary>The notebook as Jupyter would write it.</summary>
    public string ToJson() => NotebookJson.Write(root);

    /// <summary>Writes the notebook to a temporary file and moves it to <paramref name="path"/>.</summary>
    /// <exception cref="IOException">The file cannot be written; what was there is still whole.</exception>
    public void Save(string path) => AtomicFile.WriteAllText(path, ToJson());

    /// <summary>Puts a code cell with one tag, which is its id too, at a place among the cells.</summary>
    internal void InsertCode(int index, string source, string tag)
    {
        var json = NewCell(CellKind.Code, source, language: null);
        json.Insert(2, "id", cells.Any(cell => cell.Id == tag) ? $"{tag}-{cells.Count}" : tag);
        json["metadata"] = new JsonObject { ["tags"] = new JsonArray(tag) };
        root["cells"]!.AsArray().Insert(index, json);
        cells.Insert(index, new(json));
    }

    private static JsonObject NewCell(CellKind kind, string source, string? language)
    {
        var metadata = new JsonObject();
        if (language is not null)
            metadata["polyglot_notebook"] = new JsonObject { ["kernelName"] = language };
        var cell = new JsonObject { ["cell_type"] = kind.ToString().ToLowerInvariant() };
        if (kind == CellKind.Code)
            cell["execution_count"] = null;
        cell["metadata"] = metadata;
        if (kind == CellKind.Code)
            cell["outputs"] = new JsonArray();
        cell["source"] = NotebookJson.Lines(source);
        return cell;
    }

    private static void Check(string name, JsonObject root)
    {
        if (root["nbformat"] is not JsonValue format || !format.TryGetValue(out int major))
            throw Fault(name, "nbformat", "a number", root["nbformat"]);
        if (major != 4)
            throw new NotebookFormatException(name, $"nbformat is {major}, this host reads 4",
                major < 4 ? "Open it in Jupyter and save it again." : "Save it as nbformat 4.");

        if (root["metadata"] is not (null or JsonObject))
            throw Fault(name, "metadata", "an object", root["metadata"]);

        var cells = root["cells"] as JsonArray ?? throw Fault(name, "cells", "a list", root["cells"]);
        for (var i = 0; i < cells.Count; i++)
        {
            var at = $"cells[{i}]";
            var cell = cells[i] as JsonObject ?? throw Fault(name, at, "an object", cells[i]);
            if (Text(cell["cell_type"]) is not ("code" or "markdown" or "raw"))
                throw Fault(name, $"{at}.cell_type", "\"code\", \"markdown\" or \"raw\"", cell["cell_type"]);
            if (!IsText(cell["source"]))
                throw Fault(name, $"{at}.source", "a string or a list of strings", cell["source"]);
            if (cell["metadata"] is not (null or JsonObject))
                throw Fault(name, $"{at}.metadata", "an object", cell["metadata"]);
            if (cell["id"] is { } id && Text(id) is null)
                throw Fault(name, $"{at}.id", "a string", id);
            if (cell["outputs"] is not (null or JsonArray))
                throw Fault(name, $"{at}.outputs", "a list", cell["outputs"]);
            if (cell["outputs"] is JsonArray outputs && outputs.Any(output => output is not JsonObject))
                throw Fault(name, $"{at}.outputs", "a list of objects", outputs.First(output => output is not JsonObject));
        }

        var twice = cells.Select(cell => Text(cell!["id"])).OfType<string>().GroupBy(id => id).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null)
            throw new NotebookFormatException(name, $"two cells have the id \"{twice.Key}\"", Remedy + ".");
    }

    private static bool IsText(JsonNode? node) =>
        Text(node) is not null || node is JsonArray lines && lines.All(line => Text(line) is not null);

    private static string? Text(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? (string)value! : null;

    private static NotebookFormatException Fault(string name, string where, string expected, JsonNode? found)
    {
        var kind = found?.GetValueKind().ToString().ToLowerInvariant() ?? "missing";
        var text = found is JsonValue value ? $"{kind} {value.ToJsonString()}" : kind;
        return new(name, $"{where} is {text}, but must be {expected}", Remedy + ".");
    }

    private static string FirstSentence(string message) => message.Split(". ", 2)[0].TrimEnd('.');

    private static void Normalise(JsonObject cell)
    {
        if (cell["source"] is JsonValue source)
            cell["source"] = NotebookJson.Lines((string)source!);
        if (cell["metadata"] is null)
            cell["metadata"] = new JsonObject();
    }

    /// <summary>Ids came with format 4.5: older notebooks get them, from place and text, so that every run gives the same.</summary>
    private static void AddMissingIds(JsonObject root)
    {
        var cells = root["cells"]!.AsArray();
        var taken = cells.Select(cell => Text(cell!["id"])).OfType<string>().ToHashSet();
        for (var i = 0; i < cells.Count; i++)
        {
            var cell = cells[i]!.AsObject();
            if (cell["id"] is not null)
                continue;
            var seed = Encoding.UTF8.GetBytes($"{i}\n{NotebookJson.Text(cell["source"])}");
            var hash = Convert.ToHexStringLower(SHA256.HashData(seed));
            var id = Enumerable.Range(0, hash.Length - 8).Select(start => hash.Substring(start, 8)).First(taken.Add);
            cell.Insert(cell.ContainsKey("execution_count") ? 2 : 1, "id", id);
        }
        if (root["nbformat_minor"] is not JsonValue minor || !minor.TryGetValue(out int number) || number < 5)
            root["nbformat_minor"] = 5;
    }

    [GeneratedRegex(@"^\#{1,6}\s+(?<text>.+?)\s*\#*\s*$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
