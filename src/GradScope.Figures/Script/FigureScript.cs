namespace GradScope.Figures;

/// <summary>The script and the style that bring a figure to life, as they are put into each figure that has numbers to read.</summary>
internal static class FigureScript
{
    private static readonly Dictionary<string, string> scripts = typeof(FigureScript).Assembly.GetManifestResourceNames()
        .Where(name => name.EndsWith(".js", StringComparison.Ordinal)).ToDictionary(name => name.Split('.')[1], Read);

    private static readonly string[] style = Read("gradscope.css").Replace("\n", "", StringComparison.Ordinal).Split("/* ==== */");

    /// <summary>Which script the data is for: two versions of GradScope may meet in one notebook.</summary>
    private const string Version = "1";

    /// <summary>The whole script, shortened, of which each figure carries a part.</summary>
    public static string Text => scripts["all"];

    /// <summary>What a figure of a kind needs of it: of one whose drawing is only read no more than that.</summary>
    public static string For(string kind) => scripts[kind];

    /// <summary>The drawing's classes that the script puts into a figure of a kind whose drawing stays; of another any, which is null.</summary>
    public static IReadOnlyList<string>? ClassesOf(string kind) => kind switch { "maps" or "curves" or "fold" => [], "rows" or "tape" => ["b", "halo"], _ => null };

    /// <summary>The mark by which the script knows a figure of a kind.</summary>
    public static string MarkOf(string kind) => $"{Version} {kind}";

    /// <summary>The rules of what the script adds to a figure of a kind, each below the figure's own class.</summary>
    public static string Style(string kind, string root, Theme theme) => (kind switch { "maps" => style[0], "rows" => style[3], "tape" => style[0] + style[3], "curves" => style[0] + style[1] + style[4], "fold" => style[1] + style[5], _ => style[0] + style[1] + style[2] })
        .Replace("&", "." + root, StringComparison.Ordinal)
        .Replace("$mono", theme.MonoFont, StringComparison.Ordinal)
        .Replace("$small", StyleSheet.Pixels(theme.SmallSize), StringComparison.Ordinal)
        .Replace("$text", StyleSheet.Pixels(theme.TextSize), StringComparison.Ordinal)
        .Replace("$title", StyleSheet.Pixels(theme.TitleSize), StringComparison.Ordinal);

    private static string Read(string name)
    {
        using var stream = typeof(FigureScript).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
