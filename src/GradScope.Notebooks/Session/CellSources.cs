using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace GradScope.Notebooks;

/// <summary>A cell, or a file that a cell brought in.</summary>
/// <param name="Path">What the compiler calls it: a whole path, for a cell one that stands for no file.</param>
/// <param name="Name">What messages call it.</param>
/// <param name="Lines">Its text.</param>
/// <param name="File">The file that it is or is a cell of; null for a cell of the session itself.</param>
/// <param name="ImportedBy">The cell or file whose <c>#!import</c> it is.</param>
internal sealed record CellSource(string Path, string Name, string[] Lines, string? File = null, CellSource? ImportedBy = null)
{
    public string Folder => System.IO.Path.GetDirectoryName(Path)!;

    public string? Line(int number) => number >= 1 && number <= Lines.Length ? Lines[number - 1] : null;
}

/// <summary>The texts of a session, by the path under which the compiler and stack frames know them.</summary>
internal sealed class CellSources(string folder)
{
    private readonly Dictionary<string, CellSource> sources = new(StringComparer.Ordinal);

    public CellSource AddCell(int number, string text) =>
        Add(new(Path.Combine(folder, $"cell {number}"), $"cell {number}", Split(text)));

    /// <param name="path">The file's whole path.</param>
    /// <param name="text">Its text, or that of one of its cells.</param>
    /// <param name="cell">Which cell of a notebook file it is, from 1; null for the whole file.</param>
    /// <param name="importedBy">Where it was imported.</param>
    public CellSource AddFile(string path, string text, int? cell = null, CellSource? importedBy = null)
    {
        var part = cell is null ? "" : $" cell {cell}";
        var name = Path.GetRelativePath(folder, path) is var relative && relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
        return Add(new(path + part, name + part, Split(text), path, importedBy));
    }

    public CellSource? Find(string? path) => path is null ? null : sources.GetValueOrDefault(path);

    private CellSource Add(CellSource source) => sources[source.Path] = source;

    private static string[] Split(string text) => text.ReplaceLineEndings("\n").Split('\n');
}

/// <summary>Reads the files of <c>#load</c>: with guards in them, so that they can be stopped as cells can, unless errors are to be shown.</summary>
internal sealed class LoadedFiles(CellSources sources, string folder, bool isGuarded) : SourceFileResolver([], folder)
{
    public override SourceText ReadText(string resolvedPath)
    {
        var text = File.ReadAllText(resolvedPath);
        sources.AddFile(resolvedPath, text);
        return SourceText.From(isGuarded ? CellGuard.Insert(text) : text, Encoding.UTF8);
    }
}
