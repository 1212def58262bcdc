using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.DotNet.Interactive.Formatting;

namespace GradScope.Notebooks;

/// <summary>One value in the forms that a front end may choose from: text by MIME type, best form first.</summary>
public sealed class MimeBundle : IReadOnlyCollection<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> forms;

    internal MimeBundle(IEnumerable<KeyValuePair<string, string>> forms) => this.forms = [.. forms];

    /// <summary>A single form.</summary>
    public MimeBundle(string mimeType, string text) : this([new(mimeType, text)]) { }

    /// <inheritdoc/>
    public int Count => forms.Count;

    /// <summary>
    /// Formats a value by what is registered with Microsoft.DotNet.Interactive.Formatting, in the MIME types that the
    /// value's type prefers, plain text with them, or in those that are asked for. A formatter that throws gives its error as the text.
    /// </summary>
    public static MimeBundle Of(object? value, params string[] mimeTypes)
    {
        if (mimeTypes.Length == 0)
            mimeTypes = value is null ? ["text/plain"] : [.. Formatter.GetPreferredMimeTypesFor(value.GetType()), "text/plain"];
        return new(mimeTypes.Distinct().Select(mimeType => KeyValuePair.Create(mimeType, Format(value, mimeType))));
    }

    /// <summary>The text of one form, where the bundle has it.</summary>
    public bool TryGet(string mimeType, [MaybeNullWhen(false)] out string text)
    {
        text = forms.FirstOrDefault(form => form.Key == mimeType).Value;
        return text is not null;
    }

    /// <summary>The forms by name, those of JSON as what they are and the others as text.</summary>
    /// <param name="write">How a text is written; as a string unless told otherwise.</param>
    internal JsonObject ToJson(Func<string, JsonNode>? write = null)
    {
        var data = new JsonObject();
        foreach (var (mimeType, text) in forms.OrderBy(form => form.Key, StringComparer.Ordinal))
            data[mimeType] = IsJson(mimeType) ? Parse(text) : write?.Invoke(text) ?? text;
        return data;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => forms.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool IsJson(string mimeType) => mimeType == "application/json" || mimeType.EndsWith("+json", StringComparison.Ordinal);

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
    }

    private static string Format(object? value, string mimeType)
    {
        try
        {
            return value is string text && mimeType != "text/html" ? text : Formatter.ToDisplayString(value, mimeType);
        }
        catch (Exception error) when (error is not (ThreadInterruptedException or OperationCanceledException))
        {
            var cause = ExceptionReport.Unwrap(error);
            var message = $"{value?.GetType().Name ?? "null"} cannot be shown: its formatter threw {cause.GetType().Name}: {ExceptionReport.Message(cause)}";
            return mimeType == "text/html" ? $"<pre>{HtmlEncoder.Default.Encode(message)}</pre>" : message;
        }
    }
}
