using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace GradScope.Notebooks;

/// <summary>
/// JSON as Jupyter writes it: one space a level, <c>": "</c>, nothing escaped but what JSON must escape. Keys keep their
/// order and numbers their digits, so a notebook that nobody changed is written as it was read.
/// </summary>
internal static class NotebookJson
{
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(text, node, level: 0);
        return text.Append('\n').ToString();
    }

    /// <summary>What is found by following the keys; null where one is missing or something else than an object is in the way.</summary>
    public static JsonNode? At(JsonNode? node, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
            node = (node as JsonObject)?[key];
        return node;
    }

    /// <summary>A string or a list of strings, which is how nbformat stores text of several lines.</summary>
    public static string Text(JsonNode? node) => node switch
    {
        JsonArray lines => string.Concat(lines.Select(line => (string?)line)),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => (string)value!,
        _ => "",
    };

    public static JsonArray Lines(string text)
    {
        var lines = new JsonArray();
        for (var start = 0; start < text.Length;)
        {
            var end = text.IndexOf('\n', start);
            end = end < 0 ? text.Length : end + 1;
            lines.Add(text[start..end]);
            start = end;
        }
        return lines;
    }

    private static void Write(StringBuilder text, JsonNode? node, int level)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } properties:
                WriteAll(text, '{', '}', level, properties, property =>
                {
                    WriteString(text, property.Key);
                    text.Append(": ");
                    Write(text, property.Value, level + 1);
                });
                break;
            case JsonArray { Count: > 0 } items:
                WriteAll(text, '[', ']', level, items, item => Write(text, item, level + 1));
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                WriteString(text, (string)value!);
                break;
            default:
                text.Append(node?.ToJsonString() ?? "null");
                break;
        }
    }

    private static void WriteAll<T>(StringBuilder text, char open, char close, int level, IEnumerable<T> items, Action<T> write)
    {
        text.Append(open);
        var separator = "";
        foreach (var item in items)
        {
            text.Append(separator).Append('\n').Append(' ', level + 1);
            write(item);
            separator = ",";
        }
        text.Append('\n').Append(' ', level).Append(close);
    }

    private static void WriteString(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append(@"\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        text.Append('"');
    }
}
