using System.CommandLine;
using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary><c>gradscope new lesson</c>: a notebook to start from.</summary>
internal static class NewCommand
{
    public static Command Create(ToolConsole console)
    {
        var name = new Argument<string>("name") { Description = "The lesson's file, with or without .ipynb; it may stand in a folder." };
        var lesson = new Command("lesson", "Writes a notebook that runs in every C# notebook host, from the first cell on.") { name };
        lesson.SetAction(parsed => Write(parsed.GetValue(name)!, console));
        return new("new", "Makes something to start from.") { lesson };
    }

    private static int Write(string name, ToolConsole console)
    {
        var path = name.EndsWith(".ipynb", StringComparison.OrdinalIgnoreCase) ? name : name + ".ipynb";
        try
        {
            if (Path.GetFileName(path) is ".ipynb" or [' ', ..] || Path.GetFileName(path).IndexOfAny(Path.GetInvalidFileNameChars()) >= 0)
                throw new UsageException($"'{name}' is no name for a file; write for instance 'gradscope new lesson 03-attention'");
            if (File.Exists(path) || Directory.Exists(path))
                throw new UsageException($"{path} is there already, and nothing was written; choose another name or remove it");
            NotebookDocument.Create(path, Cells(Title(path))).Save(path);
            console.Output.WriteLine($"{path} is there; open it in VS Code or Jupyter, or run it with 'gradscope run {path}'.");
            return ExitCode.Passed;
        }
        catch (Exception fault) when (fault is UsageException or IOException or UnauthorizedAccessException)
        {
            console.Error.WriteLine(fault.Message);
            return ExitCode.BadInput;
        }
    }

    private static IEnumerable<(CellKind, string, string?)> Cells(string title) =>
    [
        (CellKind.Markdown, $"# {title}\n\n**One idea:** say here in a sentence what the reader will have seen at the end.", null),
        (CellKind.Code, "#r \"nuget: GradScope.Interactive, *-*\"\nusing GradScope;", "csharp"),
        (CellKind.Markdown, "## A number with a gradient\n\nA tape writes down each operation; backward asks how much each number moves the last.", null),
        (CellKind.Code, "var tape = new Tape();\nvar x = tape.Variable(3f, \"x\");\nvar y = (x * x).As(\"y\");\ntape.Backward(y);\ntape", "csharp"),
    ];

    /// <summary>"03-where-it-looks" becomes "Where it looks".</summary>
    private static string Title(string path)
    {
        var words = Path.GetFileNameWithoutExtension(path).Split(['-', '_', ' '], StringSplitOptions.RemoveEmptyEntries);
        var text = string.Join(' ', words.SkipWhile(word => words.Length > 1 && word.All(char.IsAsciiDigit)));
        return text.Length == 0 ? "A lesson" : char.ToUpperInvariant(text[0]) + text[1..];
    }
}
