using System.Text;
using System.Text.RegularExpressions;

namespace GradScope.Notebooks;

/// <summary>The one place where a page's text becomes HTML.</summary>
internal static partial class Html
{
    /// <summary>Only what HTML must have escaped: ∂ and √ stay themselves.</summary>
    public static string Escape(string text)
    {
        var html = new StringBuilder(text.Length);
        foreach (var c in text)
            _ = c switch
            {
                '&' => html.Append("&amp;"),
                '<' => html.Append("&lt;"),
                '>' => html.Append("&gt;"),
                '"' => html.Append("&quot;"),
                '\'' => html.Append("&#39;"),
                _ => html.Append(c),
            };
        return html.ToString();
    }

    /// <summary>Console text as a terminal would leave it: what follows a carriage return overwrites its line, colours are gone.</summary>
    public static string Console(string text)
    {
        var plain = Ansi().Replace(text.Replace("\r\n", "\n"), "");
        return Escape(string.Join('\n', plain.Split('\n').Select(Overwrite)));
    }

    private static string Overwrite(string line)
    {
        var shown = "";
        foreach (var part in line.Split('\r'))
            shown = part.Length >= shown.Length ? part : part + shown[part.Length..];
        return shown;
    }

    [GeneratedRegex(@"\u001b\[[0-9;?]*[ -/]*[@-~]")]
    private static partial Regex Ansi();
}
