using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary>A command line that cannot be followed; the message says what to change.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>A notebook to run, as it was named or found.</summary>
internal sealed record Lesson(string Path, NotebookDocument Notebook)
{
    private static readonly string[] skippedFolders = ["bin", "obj", "artifacts", "node_modules"];

    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    public string Folder => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;

    public bool IsDib => Path.EndsWith(".dib", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Reads every notebook that is named or lies in a folder that is named, in name order within a folder. Folders that are
    /// written to are not searched.
    /// </summary>
    /// <exception cref="UsageException">A path does not exist, is no notebook, or a folder has none.</exception>
    /// <exception cref="NotebookFormatException">A notebook is malformed or in another language.</exception>
    public static IReadOnlyList<Lesson> Find(IEnumerable<string> paths, IEnumerable<string> outFolders)
    {
        string[] skipped = [.. outFolders.Select(System.IO.Path.GetFullPath)];
        return [.. paths.SelectMany(path => Expand(path, skipped)).DistinctBy(System.IO.Path.GetFullPath).Select(Load)];
    }

    /// <summary>Whether a path ends as a notebook's does.</summary>
    public static bool IsNotebook(string path) => System.IO.Path.GetExtension(path).ToLowerInvariant() is ".ipynb" or ".dib";

    private static Lesson Load(string path)
    {
        var notebook = NotebookDocument.Load(path);
        notebook.RequireCSharp();
        return new(path, notebook);
    }

    private static IEnumerable<string> Expand(string path, string[] skipped)
    {
        if (Directory.Exists(path))
        {
            var found = Search(path, skipped).ToList();
            return found.Count > 0 ? found : throw new UsageException($"{path}: there is no notebook (.ipynb or .dib) in this folder");
        }
        if (!File.Exists(path))
            throw new UsageException($"{path}: there is no such file or folder");
        return IsNotebook(path) ? [path] : throw new UsageException($"{path}: not a notebook; name an .ipynb or .dib file, or a folder");
    }

    private static IEnumerable<string> Search(string folder, string[] skipped)
    {
        var files = Directory.EnumerateFiles(folder).Where(IsNotebook).Order(StringComparer.Ordinal);
        var folders = Directory.EnumerateDirectories(folder)
            .Where(inner => IsSearched(inner) && !skipped.Contains(System.IO.Path.GetFullPath(inner)))
            .Order(StringComparer.Ordinal);
        return files.Concat(folders.SelectMany(inner => Search(inner, skipped)));
    }

    private static bool IsSearched(string folder)
    {
        var name = System.IO.Path.GetFileName(folder);
        return !name.StartsWith('.') && !skippedFolders.Contains(name, StringComparer.OrdinalIgnoreCase);
    }
}
