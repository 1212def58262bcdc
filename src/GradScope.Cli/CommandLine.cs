using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace GradScope.Cli;

/// <summary>The commands of <c>gradscope</c> and what their exit codes mean.</summary>
internal static class CommandLine
{
    /// <summary>Runs a command. Nothing is written but to the two writers; a terminal gets colours and a moving bar.</summary>
    public static async Task<int> InvokeAsync(string[] args, TextWriter output, TextWriter error, bool isTerminal = false, CancellationToken cancel = default)
    {
        var console = new ToolConsole(output, error, isTerminal);
        var root = new Command("gradscope", "GradScope: backpropagation you can see. Runs lesson notebooks and writes them as pages.")
        {
            RunCommand.Create(console),
            NewCommand.Create(console),
            LessonWorker.Create(),
            KernelCommand.Create(console),
            JupyterCommand.Create(console),
            GalleryCommand.Create(console),
            new HelpOption(),
            new VersionOption(),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var fault in parsed.Errors)
                error.WriteLine(fault.Message);
            var command = "";
            for (SymbolResult? result = parsed.CommandResult; result is CommandResult { Command: var part }; result = result.Parent)
                command = $"{part.Name} {command}";
            error.WriteLine($"'{command}--help' tells what there is.");
            return ExitCode.BadInput;
        }
        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            // A kernel minds its signals itself: an interrupt stops its cell alone. A worker is ended by the command that started it.
            ProcessTerminationTimeout = parsed.CommandResult.Command.Name is KernelCommand.Name or LessonWorker.Name ? null : TimeSpan.FromSeconds(10),
        };
        return await parsed.InvokeAsync(configuration, cancel);
    }
}

internal static class ExitCode
{
    public const int Passed = 0, CellFailed = 1, BadInput = 2, Stopped = 130;
}
