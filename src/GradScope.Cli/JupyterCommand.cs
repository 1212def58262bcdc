using System.CommandLine;
using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary><c>gradscope jupyter</c>: makes the kernel known to Jupyter, and unknown again.</summary>
internal static class JupyterCommand
{
    public static Command Create(ToolConsole console)
    {
        var prefix = new Option<string?>("--prefix")
        {
            Description = "The folder of a Python environment or system to install to (its share/jupyter), instead of the user's own.",
            HelpName = "DIR",
        };
        return new Command("jupyter", "Makes the C# kernel known to Jupyter: JupyterLab, nbconvert, papermill, VS Code.")
        {
            Sub("install", $"""
                Writes the kernel "C# (GradScope)" where Jupyter looks for the user's kernels, and an alias {KernelSpecs.Alias},
                which lesson files name, unless another kernel has that name. Once more renews it, as after an update.
                """, Install),
            Sub("uninstall", "Removes what install has written, and nothing else.", Uninstall),
            Sub("list", "Shows where the kernel is installed.", List),
        };

        Command Sub(string name, string description, Action<ToolConsole, string?> act)
        {
            var command = new Command(name, description) { prefix };
            command.SetAction(parsed =>
            {
                try
                {
                    act(console, parsed.GetValue(prefix));
                    return ExitCode.Passed;
                }
                catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
                {
                    console.Error.WriteLine($"{fault.Message} Name a folder that you may write to with --prefix, or set JUPYTER_DATA_DIR");
                    return ExitCode.BadInput;
                }
            });
            return command;
        }
    }

    private static void Install(ToolConsole console, string? prefix)
    {
        var installed = Target(prefix).Install([.. Self(), KernelCommand.Name], KernelSpecs.AllDataFolders);
        foreach (var spec in installed)
            console.Output.WriteLine($"Installed {spec.Name}, \"{spec.DisplayName}\": {spec.Folder}");
        if (installed.All(spec => spec.Name != KernelSpecs.Alias))
            console.Output.WriteLine($"Another kernel is named {KernelSpecs.Alias} and stays; choose \"C# (GradScope)\" in the notebook, or --kernel {KernelSpecs.Name}");
    }

    private static void Uninstall(ToolConsole console, string? prefix)
    {
        var target = Target(prefix);
        var removed = target.Uninstall();
        foreach (var spec in removed)
            console.Output.WriteLine($"Removed {spec.Name}: {spec.Folder}");
        if (removed.Count == 0)
            console.Output.WriteLine($"Nothing of GradScope's is in {target.Folder}");
    }

    private static void List(ToolConsole console, string? prefix)
    {
        var folders = prefix is null ? KernelSpecs.AllDataFolders : [KernelSpecs.DataFolderOf(prefix)];
        var found = folders.SelectMany(folder => new KernelSpecs(folder).List()).ToList();
        foreach (var spec in found)
            console.Output.WriteLine($"{spec.Name,-12} {spec.Folder}{(spec.IsOurs ? "" : $"  (not GradScope's: {spec.DisplayName})")}");
        if (found.Count == 0)
            console.Output.WriteLine("Not installed; 'gradscope jupyter install' does that.");
    }

    private static KernelSpecs Target(string? prefix) => new(prefix is null ? KernelSpecs.UserDataFolder : KernelSpecs.DataFolderOf(prefix));

    /// <summary>The command that runs this tool: its own executable, or dotnet with its assembly.</summary>
    private static string[] Self()
    {
        var process = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(process) == "dotnet" ? [process, typeof(JupyterCommand).Assembly.Location] : [process];
    }
}
