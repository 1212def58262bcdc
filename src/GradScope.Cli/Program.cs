using GradScope.Cli;
using GradScope.Notebooks;

// A session takes the console's place for its cells: what the tool itself says goes to the console as it is now.
var (output, error) = (Console.Out, Console.Error);

// A cell may end the process, and must not get to say that all went well.
var isRunning = args is ["run", ..];
AppDomain.CurrentDomain.ProcessExit += (_, _) =>
{
    if (isRunning && Environment.ExitCode == ExitCode.Passed)
    {
        error.WriteLine("A cell ended the process; nothing more was run or written.");
        Environment.ExitCode = ExitCode.CellFailed;
    }
};

// The compiler takes longer to get ready than the command line and the notebook take to read. Several notebooks run elsewhere.
if (args is [LessonWorker.Name, ..] || (args is ["run", ..] && args.Count(Lesson.IsNotebook) == 1))
    CSharpSession.WarmUp();
var code = await CommandLine.InvokeAsync(args, output, error, isTerminal: !Console.IsOutputRedirected);
isRunning = false;

// What a cell has left running must not keep the process.
Environment.Exit(code);
