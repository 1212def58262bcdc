using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary><c>gradscope run</c>: its options, what they must be, and how they reach <see cref="LessonRun"/>.</summary>
internal static class RunCommand
{
    public static Command Create(ToolConsole console)
    {
        var paths = new Argument<string[]>("notebooks")
        {
            Description = "Notebooks (.ipynb, .dib), or folders to search for them.",
            Arity = ArgumentArity.OneOrMore,
        };
        var inPlace = new Option<bool>("--in-place") { Description = "Write the outputs into the notebooks; one with a failed cell stays as it was, unless --allow-errors." };
        var folder = new Option<string?>("--out") { Description = "Write the notebooks with their outputs to this folder.", HelpName = "DIR" };
        var pages = new Option<string?>("--html") { Description = "Write each notebook as a self-contained page to this folder, and an index.html.", HelpName = "DIR" };
        var timeout = new Option<TimeSpan?>("--timeout") { Description = "Stop a cell that takes longer than this.", HelpName = "SECONDS", CustomParser = Seconds };
        var allowErrors = new Option<bool>("--allow-errors") { Description = "Go on after a failed cell; the exit code still tells." };
        paths.Validators.Add(RefuseUnknownOptions);

        var command = new Command("run", """
            Runs notebooks top to bottom, each in its own folder, and shows what failed as "notebook, cell n, line l: message",
            where n is the cell's execution count.

            Exit codes: 0 every cell passed; 1 a cell failed; 2 the command line or a notebook is not right, nothing was run;
            130 stopped with Ctrl+C.
            """)
        {
            paths, inPlace, folder, pages, timeout, allowErrors,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var run = new LessonRun(console)
            {
                InPlace = parsed.GetValue(inPlace),
                OutFolder = parsed.GetValue(folder),
                PageFolder = parsed.GetValue(pages),
                Options = new RunOptions { Timeout = parsed.GetValue(timeout), AllowErrors = parsed.GetValue(allowErrors) },
            };
            return await run.RunAsync(parsed.GetValue(paths)!, cancel);
        });
        return command;
    }

    private static TimeSpan? Seconds(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 1e6)
            return TimeSpan.FromSeconds(seconds);
        result.AddError($"--timeout: '{text}' is not a number of seconds; write for instance --timeout 60");
        return null;
    }

    /// <summary>A word with a dash that no option took would pass for a notebook.</summary>
    private static void RefuseUnknownOptions(ArgumentResult result)
    {
        foreach (var token in result.Tokens.Where(token => token.Value.StartsWith('-')))
            result.AddError($"{token.Value} is not an option of 'run'");
    }
}
