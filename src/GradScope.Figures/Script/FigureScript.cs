using System.Text;
using System.Text.RegularExpressions;

namespace GradScope.Figures;

/// <summary>The script and the style that bring a figure to life, as they are put into each figure that has numbers to read.</summary>
internal static partial class FigureScript
{
    private static readonly Lazy<Dictionary<string, string>> script = new(() => Sections("gradscope.js", WithoutComments));
    private static readonly Lazy<Dictionary<string, string>> style = new(() => Sections("gradscope.css", css => css.Replace("\n", "", StringComparison.Ordinal)));

    /// <summary>Which script the data is for: two versions of GradScope may meet in one notebook.</summary>
    private const string Version = "1";

    /// <summary>The whole script without its comments and indentation, which are for those who read its source.</summary>
    public static string Text => string.Concat(script.Value.Values);

    /// <summary>What a figure of a kind needs of it: of one whose drawing is only read no more than that.</summary>
    public static string For(string kind) => script.Value["core"] + (IsDrawn(kind) ? script.Value["kit"] + script.Value[kind] : "") + script.Value["start"];

    /// <summary>The mark by which the script knows a figure of a kind.</summary>
    public static string MarkOf(string kind) => $"{Version} {kind}";

    /// <summary>The rules of what the script adds to a figure of a kind, each below the figure's own class.</summary>
    public static string Style(string kind, string root, Theme theme) => (style.Value["core"] + (IsDrawn(kind) ? style.Value["kit"] : ""))
        .Replace("&", "." + root, StringComparison.Ordinal)
        .Replace("$mono", theme.MonoFont, StringComparison.Ordinal)
        .Replace("$small", StyleSheet.Pixels(theme.SmallSize), StringComparison.Ordinal)
        .Replace("$text", StyleSheet.Pixels(theme.TextSize), StringComparison.Ordinal)
        .Replace("$title", StyleSheet.Pixels(theme.TitleSize), StringComparison.Ordinal);

    private static bool IsDrawn(string kind) => script.Value.ContainsKey(kind);

    private static Dictionary<string, string> Sections(string file, Func<string, string> shorten) =>
        Section().Split(Read(file)).Prepend("core").Chunk(2).ToDictionary(s => s[0], s => shorten(s[1]));

    private static string WithoutComments(string source) => string.Concat(DocComment().Replace(source, "").Split('\n')
        .Select(line => line.Trim())
        .Where(line => line.Length > 0 && !line.StartsWith("//", StringComparison.Ordinal))
        .Select(line => Squeeze(line) + "\n"));

    /// <summary>A line without the spaces beside signs, outside of texts. In a template's ${…} code goes on; between two plus or minus signs the space stays.</summary>
    private static string Squeeze(string line)
    {
        var squeezed = new StringBuilder(line.Length);
        var texts = new Stack<char>();
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            var quote = texts.Count > 0 ? texts.Peek() : '\0';
            if (quote is '\'' or '`')
            {
                squeezed.Append(c);
                if (c == '\\') squeezed.Append(line[++i]);
                else if (c == quote) texts.Pop();
                else if (quote == '`' && c == '$' && line[i + 1] == '{')
                {
                    squeezed.Append(line[++i]);
                    texts.Push('{');
                }

                continue;
            }

            if (c is '\'' or '`' or '{') texts.Push(c);
            else if (c == '}' && quote == '{') texts.Pop();
            var isSpare = c == ' ' && (IsSign(line[i - 1]) || IsSign(line[i + 1])) && !(line[i - 1] is '+' or '-' && line[i + 1] is '+' or '-');
            if (!isSpare) squeezed.Append(c);
        }

        return squeezed.ToString();

        static bool IsSign(char c) => !char.IsLetterOrDigit(c) && c is not ('_' or '$' or '#');
    }

    private static string Read(string name)
    {
        using var stream = typeof(FigureScript).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"^ *(?://|/\*) ==== (\w+)(?: \*/)?$", RegexOptions.Multiline)]
    private static partial Regex Section();

    [GeneratedRegex(@"/\*\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex DocComment();
}
