namespace GradScope.Notebooks;

/// <summary>
/// The <c>#!</c> commands of one session. A package's extension adds its own through
/// <c>CellContext.Current.Magics</c>, from its extension.dib or from <see cref="ProvidedPackage.OnLoad"/>.
/// </summary>
public sealed class MagicCommands
{
    /// <summary>The magics of the session itself, which are not commands of this table.</summary>
    private static readonly string[] own = ["csharp", "markdown", "html", "import", "time"];

    private readonly SortedDictionary<string, Func<string, Task>> commands = new(StringComparer.Ordinal);

    /// <summary>Adds a command, or replaces one of the same name.</summary>
    /// <param name="name">What follows <c>#!</c>, for instance <c>gradscope</c>.</param>
    /// <param name="run">
    /// Runs in the cell, between the lines before and after; it receives the rest of the line, trimmed, and may throw to
    /// fail the cell.
    /// </param>
    /// <exception cref="ArgumentException">The name is empty, has a blank in it, or is one of the session's own.</exception>
    public void Add(string name, Func<string, Task> run)
    {
        if (string.IsNullOrEmpty(name) || name.Any(char.IsWhiteSpace) || own.Contains(name))
            throw new ArgumentException($"Add: #!{name} cannot be a command; choose a word without blanks that is none of {string.Join(", ", own)}", nameof(name));
        commands[name] = run;
    }

    /// <exception cref="DirectiveException">There is no such command.</exception>
    internal Func<string, Task> Find(MagicStep step) => commands.TryGetValue(step.Name, out var run) ? run : throw new DirectiveException(
        $"#!{step.Name} is not known here: this host runs C# cells and has {string.Join(", ", own.Concat(commands.Keys).Select(name => $"#!{name}"))}", step.Line);
}
