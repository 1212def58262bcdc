using System.Net;
using System.Text;

namespace GradScope.Interactive;

/// <summary>Several values of a kind below each other: the first few, each with its place, and how many more there are.</summary>
internal static class Several
{
    /// <summary>Front ends grow slow on more.</summary>
    private const int Most = 8;

    public static (string Html, string Text) Show<T>(IEnumerable<T> values, Func<T, (string Html, string Text)> draw)
    {
        var (html, text) = (new StringBuilder(), new StringBuilder());
        var count = 0;
        foreach (var value in values)
        {
            if (count++ >= Most)
            {
                continue;
            }

            var (ofHtml, ofText) = Drawn(value, draw);
            html.Append($"<div style=\"margin:0 0 8px\"><code>[{count - 1}]</code>{ofHtml}</div>");
            text.Append(count == 1 ? "" : "\n").Append($"[{count - 1}] {ofText}");
        }

        if (count == 0)
        {
            return ($"<code>{WebUtility.HtmlEncode("(none)")}</code>", "(none)");
        }

        var more = count > Most ? FormattableString.Invariant($"… and {count - Most} more") : "";
        return (html.Append(more.Length > 0 ? $"<p>{more}</p>" : "").ToString(), text.Append(more.Length > 0 ? "\n" + more : "").ToString());
    }

    private static (string Html, string Text) Drawn<T>(T value, Func<T, (string Html, string Text)> draw)
    {
        try
        {
            return draw(value);
        }
        catch (Exception exception)
        {
            return Failure.Show($"this {typeof(T).Name}", exception);
        }
    }
}
