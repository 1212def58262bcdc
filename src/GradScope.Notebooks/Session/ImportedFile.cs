namespace GradScope.Notebooks;

/// <summary>Code of a file that a cell imports; <paramref name="Number"/> is null where the file is not made of cells.</summary>
internal sealed record ImportedCell(string Code, string Language, int? Number);

/// <summary>Reads what <c>#!import</c> takes: notebooks, whose text is left out, and scripts.</summary>
internal static class ImportedFile
{
    /// <exception cref="DirectiveException">The file cannot be imported.</exception>
    public static IReadOnlyList<ImportedCell> Read(string path, MagicStep import)
    {
        try
        {
            return Path.GetExtension(path).ToLowerInvariant() switch
            {
                ".ipynb" or ".dib" => Cells(NotebookDocument.Load(path)),
                ".csx" or ".cs" => [new(WithoutShebang(File.ReadAllText(path)), "csharp", Number: null)],
                _ => throw new DirectiveException($"#!import {import.Arguments}: name an .ipynb, .dib, .csx or .cs file", import.Line),
            };
        }
        catch (Exception error) when (error is NotebookFormatException or IOException or UnauthorizedAccessException)
        {
            throw new DirectiveException($"#!import {import.Arguments}: {error.Message}", import.Line);
        }
    }

    private static IReadOnlyList<ImportedCell> Cells(NotebookDocument notebook)
    {
        notebook.RequireCSharp();
        return [.. notebook.Cells.Where(cell => cell.Kind == CellKind.Code).Select((cell, i) => new ImportedCell(cell.Source, cell.Language ?? "csharp", i + 1))];
    }

    /// <summary>A script may begin with the line that lets a shell start it; it stays, emptied, for the numbers of the others.</summary>
    private static string WithoutShebang(string code) => code.StartsWith("#!/", StringComparison.Ordinal) ? "//" + code : code;
}
