namespace GradScope.Notebooks;

/// <summary>
/// The plain-text notebook of .NET Interactive: cells separated by lines such as <c>#!csharp</c> and <c>#!markdown</c>,
/// after an optional <c>#!meta</c> block.
/// </summary>
internal static class DibFile
{
    public static NotebookDocument Parse(string text, string name)
    {
        var cells = new List<(CellKind, string, string?)>();
        var language = "csharp";
        var lines = new List<string>();
        foreach (var line in text.ReplaceLineEndings("\n").Split('\n'))
        {
            if (Separator(line) is not { } next)
            {
                lines.Add(line);
                continue;
            }
            Close();
            language = next;
        }
        Close();
        return NotebookDocument.Create(name, cells);

        void Close()
        {
            var source = string.Join('\n', lines).Trim('\n');
            lines.Clear();
            if (source.Length == 0 || language == "meta")
                return;
            cells.Add(language == "markdown" ? (CellKind.Markdown, source, null)
                : (CellKind.Code, source, language == "csharp" ? null : language));
        }
    }

    /// <summary>The language of a separator line; other magics, such as <c>#!time</c>, belong to their cell.</summary>
    private static string? Separator(string line) => line.TrimEnd() switch
    {
        "#!meta" => "meta",
        "#!csharp" or "#!c#" or "#!C#" => "csharp",
        "#!markdown" => "markdown",
        "#!html" => "html",
        "#!fsharp" or "#!f#" => "fsharp",
        "#!pwsh" or "#!powershell" => "pwsh",
        "#!javascript" or "#!js" => "javascript",
        "#!mermaid" => "mermaid",
        "#!sql" => "sql",
        "#!kql" => "kql",
        "#!value" => "value",
        "#!http" => "http",
        _ => null,
    };
}
