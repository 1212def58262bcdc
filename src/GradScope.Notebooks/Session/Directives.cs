using System.Text.RegularExpressions;

namespace GradScope.Notebooks;

/// <summary>A package that a cell asks for; the version is as written and may be a range, or empty for the newest.</summary>
internal sealed record PackageRequest(string Id, string Version, int Line);

/// <summary>A folder or address that a cell adds to where packages are looked for.</summary>
internal sealed record PackageSource(string Location, int Line);

/// <summary>A part of a cell, in the order of its lines.</summary>
internal abstract record CellStep;

/// <summary>Consecutive lines in one language. Lines of other parts and directives are blank, so line numbers hold.</summary>
internal sealed record CodeStep(string Language, string Text) : CellStep;

/// <summary>A <c>#!name arguments</c> line that is neither a language nor <c>#!time</c>.</summary>
internal sealed record MagicStep(string Name, string Arguments, int Line) : CellStep;

/// <summary>A cell with its directives taken out.</summary>
internal sealed partial record CellScript(
    IReadOnlyList<CellStep> Steps, IReadOnlyList<PackageRequest> Packages, IReadOnlyList<PackageSource> Sources, bool IsTimed)
{
    /// <summary>
    /// Reads a cell's directives: <c>#!</c> lines, and in C# parts <c>#r "nuget: …"</c> and <c>#i "nuget: …"</c>. A line
    /// counts by how it starts, inside a string of several lines too.
    /// </summary>
    /// <exception cref="DirectiveException">A directive is not well formed, or the language is not known.</exception>
    public static CellScript Parse(string code, string language)
    {
        var lines = code.ReplaceLineEndings("\n").Split('\n');
        var steps = new List<CellStep>();
        var packages = new List<PackageRequest>();
        var sources = new List<PackageSource>();
        var isTimed = false;
        var current = Language(language) ?? throw new DirectiveException($"this host runs C#, Markdown and HTML cells, not {language}; write the cell in one of these", 1);
        var text = Blank();

        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i];
            if (Magic().Match(line) is { Success: true } magic)
            {
                var name = magic.Groups["name"].Value;
                if (name is "time")
                    isTimed = true;
                else if (Language(name) is { } next)
                    Close(next);
                else
                {
                    Close(current);
                    steps.Add(new MagicStep(name, magic.Groups["arguments"].Value.Trim(), i + 1));
                }
            }
            else if (current == "csharp" && NuGet().Match(line) is { Success: true } nuget)
                Read(nuget, i + 1);
            else
                text[i] = line;
        }
        Close(current);
        return new(steps, packages, sources, isTimed);

        string[] Blank() => Enumerable.Repeat("", lines.Length).ToArray();

        void Close(string next)
        {
            if (text.Any(line => !string.IsNullOrWhiteSpace(line)))
                steps.Add(new CodeStep(current, string.Join('\n', text)));
            (current, text) = (next, Blank());
        }

        void Read(Match nuget, int line)
        {
            var kind = nuget.Groups["kind"].Value;
            var value = nuget.Groups["value"].Value.Trim();
            if (value.Length == 0 || !nuget.Groups["end"].Success)
                throw new DirectiveException(kind is "i" or "I"
                    ? $"{lines[line - 1].Trim()}: write it as #i \"nuget: https://address/index.json\" or #i \"nuget: /whole/path/of/a/folder\""
                    : $"{lines[line - 1].Trim()}: write it as #r \"nuget: Package.Name, 1.2.3\" (the version may be left out)", line);
            if (kind is "i" or "I")
            {
                sources.Add(new(value, line));
                return;
            }
            var pieces = value.Split(',', 2, StringSplitOptions.TrimEntries);
            packages.Add(new(pieces[0], pieces.Length > 1 ? pieces[1] : "", line));
        }
    }

    /// <summary>The language that a cell or a magic names; null where it is none that this host runs.</summary>
    private static string? Language(string name) => name switch
    {
        "csharp" or "c#" or "C#" => "csharp",
        "markdown" or "html" => name,
        _ => null,
    };

    [GeneratedRegex(@"^\s*#!(?<name>\S+)(?<arguments>.*)$")]
    private static partial Regex Magic();

    [GeneratedRegex("""^\s*#(?<kind>[ri])\s*"nuget:(?<value>[^"]*)(?<end>")?""", RegexOptions.IgnoreCase)]
    private static partial Regex NuGet();
}

/// <summary>A directive that cannot be followed; the message says which and what to write instead.</summary>
internal sealed class DirectiveException(string message, int line) : Exception(message)
{
    public int Line => line;
}
