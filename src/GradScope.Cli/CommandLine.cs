using System.CommandLine;

namespace GradScope.Cli;

/// <summary>The commands of <c>gradscope</c> and what their exit codes mean.</summary>
static class CommandLine
{
    /// <summary>Runs a command; nothing but the two writers is written to the console.</summary>
    public static async Task<int> InvokeAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancel = default)
    {
        var root = new RootCommand("GradScope: backpropagation one can read. Runs lesson notebooks and writes them as pages.")
        {
            RunCommand.Create(output, error),
        };
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var fault in parsed.Errors)
                error.WriteLine(fault.Message);
            error.WriteLine($"'gradscope {parsed.CommandResult.Command.Name} --help' tells what there is.".Replace("gradscope gradscope", "gradscope"));
            return ExitCode.BadInput;
        }
        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = TimeSpan.FromSeconds(10),
        };
        return await parsed.InvokeAsync(configuration, cancel);
    }
}

static class ExitCode
{
    public const int Passed = 0, CellFailed = 1, BadInput = 2, Stopped = 130;
}
