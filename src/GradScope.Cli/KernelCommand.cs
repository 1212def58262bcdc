using System.CommandLine;
using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary><c>gradscope kernel</c>, which a Jupyter client starts.</summary>
internal static class KernelCommand
{
    public const string Name = "kernel";

    public static Command Create(ToolConsole console)
    {
        var file = new Argument<string>("connection-file") { Description = "The file that a Jupyter client has written." };
        var command = new Command(Name, """
            Serves C# cells to a Jupyter client over its connection file. Clients start it by themselves once
            'gradscope jupyter install' has told them of it.

            Exit codes: 0 a client asked for the end, or is gone; 2 the connection file cannot be served.
            """)
        {
            file,
        };
        command.SetAction(async parsed =>
        {
            try
            {
                await JupyterHost.RunAsync(parsed.GetValue(file)!, new SessionOptions { Packages = HostPackages.All }, console.Error);
                return ExitCode.Passed;
            }
            catch (ConnectionFileException fault)
            {
                console.Error.WriteLine(fault.Message);
                return ExitCode.BadInput;
            }
        });
        return command;
    }
}
