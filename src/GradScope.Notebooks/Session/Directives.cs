using System.Text.RegularExpressions;

namespace GradScope.Notebooks;

/// <summary>A package that a cell asks for; the version is as written and may be a range, or empty for the newest.</summary>
internal sealed record PackageRequest(string Id, string Version, int Line);

/// <summary>Consecutive lines of a cell in one language. Lines of other parts and directives are blank, so line numbers hold.</summary>
internal sealed record CellPart(string Language, string Text);

/// <summary>A cell with its directives taken out.</summary>
internal sealed partial record CellScript(IReadOnlyList<CellPart> Parts, IReadOnlyList<PackageRequest> Packages, IReadOnlyList<string> PackageSources, bool IsTimed)
{
    private const string Known = "#!csharp, #!markdown, #!html and #!time";

    /// <summary>
    /// Reads a cell's directives: <c>#!language</c> and <c>#!time</c> lines, and in C# parts <c>#r "nuget: …"</c> and
    /// <c>#i "nuget: …"</c>. A line counts by how it starts, inside a string of several lines too.
    /// </summary>
    /// <exception cref="DirectiveException">A directive that this host does not have, or one that is not well formed.</exception>
    public static CellScript Parse(string code, string language)
    {
        var lines = code.ReplaceLineEndings("\n").Split('\n');
        var parts = new List<(string Language, string[] Lines)>();
        var packages = new List<PackageRequest>();
        var sources = new List<string>();
        var isTimed = false;
        Open(language, 1);

        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            if (Magic().Match(line) is { Success: true } magic)
            {
                if (magic.Groups["name"].Value is "time")
                    isTimed = true;
                else
                    Open(magic.Groups["name"].Value, i + 1);
            }
            else if (parts[^1].Language == "csharp" && NuGet().Match(line) is { Success: true } nuget)
                Read(nuget, i + 1);
            else
                parts[^1].Lines[i] = line;
        }
        return new([.. parts.Select(part => new CellPart(part.Language, string.Join('\n', part.Lines)))], packages, sources, isTimed);

        void Open(string name, int line)
        {
            var known = name switch
            {
                "csharp" or "c#" or "C#" => "csharp",
                "markdown" or "html" => name,
                _ => throw new DirectiveException($"#!{name} is not known here: this host runs C# cells and has {Known}", line),
            };
            parts.Add((known, Enumerable.Repeat("", lines.Length).ToArray()));
        }

        void Read(Match nuget, int line)
        {
            var value = nuget.Groups["value"].Value.Trim();
            if (value.Length == 0 || !nuget.Groups["end"].Success)
                throw new DirectiveException($"{lines[line - 1].Trim()}: write it as #r \"nuget: Package.Name, 1.2.3\" (the version may be left out)", line);
            if (nuget.Groups["kind"].Value == "i")
            {
                sources.Add(value);
                return;
            }
            var pieces = value.Split(',', 2, StringSplitOptions.TrimEntries);
            packages.Add(new(pieces[0], pieces.Length > 1 ? pieces[1] : "", line));
        }
    }

    [GeneratedRegex(@"^\s*#!(?<name>[^\s]+)")]
    private static partial Regex Magic();

    [GeneratedRegex("""^\s*#(?<kind>[ri])\s*"nuget:(?<value>[^"]*)(?<end>")?""", RegexOptions.IgnoreCase)]
    private static partial Regex NuGet();
}

/// <summary>A directive that cannot be followed; the message says which and what to write instead.</summary>
internal sealed class DirectiveException(string message, int line) : Exception(message)
{
    public int Line => line;
}
