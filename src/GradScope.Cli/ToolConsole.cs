using System.Text;
using Spectre.Console;

namespace GradScope.Cli;

/// <summary>Where the tool writes, and whether somebody watches: only a terminal gets colours and a moving bar.</summary>
internal sealed record ToolConsole(TextWriter Output, TextWriter Error, bool IsTerminal) : IAnsiConsoleOutput
{
    private const int UsualWidth = 100, UsualHeight = 40;

    TextWriter IAnsiConsoleOutput.Writer => Output;

    int IAnsiConsoleOutput.Width => IsTerminal && Console.WindowWidth > 0 ? Console.WindowWidth : UsualWidth;

    int IAnsiConsoleOutput.Height => IsTerminal && Console.WindowHeight > 0 ? Console.WindowHeight : UsualHeight;

    void IAnsiConsoleOutput.SetEncoding(Encoding encoding)
    {
        if (IsTerminal)
            Console.OutputEncoding = encoding;
    }

    /// <summary>Tables, and in a terminal that is not a build server's a progress bar.</summary>
    public IAnsiConsole Rich() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = this,
        Ansi = IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
        Interactive = IsTerminal ? InteractionSupport.Detect : InteractionSupport.No,
    });
}
