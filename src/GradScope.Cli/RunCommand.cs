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
        var settings = new Option<Dictionary<string, string>>("--set")
        {
            Description = "Give a parameter another value: a variable of the cell tagged \"parameters\". May be repeated.",
            HelpName = "NAME=VALUE",
            CustomParser = Parameters,
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };
        var jobs = new Option<int>("--jobs") { Description = "Run so many notebooks at a time.", HelpName = "N", CustomParser = Jobs, DefaultValueFactory = _ => 1 };
        var report = new Option<string?>("--report") { Description = "Write a JUnit XML report to this file, a suite a notebook and a case a cell.", HelpName = "FILE" };
        var allowErrors = new Option<bool>("--allow-errors") { Description = "Go on after a failed cell; the exit code still tells." };
        paths.Validators.Add(RefuseUnknownOptions);

        var command = new Command("run", """
            Runs notebooks top to bottom, each in its own folder, and shows what failed as "notebook, cell n, line l: message",
            where n is the cell's execution count. Several notebooks run in processes of their own.

            Exit codes: 0 every cell passed; 1 a cell failed; 2 the command line or a notebook is not right and nothing was run, or
            a file cannot be written; 130 stopped with Ctrl+C.
            """)
        {
            paths, settings, inPlace, folder, pages, report, timeout, allowErrors, jobs,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var run = new LessonRun(console)
            {
                InPlace = parsed.GetValue(inPlace),
                OutFolder = parsed.GetValue(folder),
                PageFolder = parsed.GetValue(pages),
                ReportFile = parsed.GetValue(report),
                Jobs = parsed.GetValue(jobs),
                Parameters = parsed.GetValue(settings) ?? [],
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

    private static Dictionary<string, string> Parameters(ArgumentResult result)
    {
        var values = new Dictionary<string, string>();
        foreach (var token in result.Tokens.Select(token => token.Value))
        {
            if (token.Split('=', 2) is [{ Length: > 0 } name, var value])
                values[name.Trim()] = value;
            else
                result.AddError($"--set: '{token}' is not of the form name=value; write for instance --set steps=100");
        }
        return values;
    }

    private static int Jobs(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0)
            return count;
        result.AddError($"--jobs: '{text}' is not a number of notebooks; write for instance --jobs {Environment.ProcessorCount}");
        return 1;
    }

    /// <summary>A word with a dash that no option took would pass for a notebook.</summary>
    private static void RefuseUnknownOptions(ArgumentResult result)
    {
        foreach (var token in result.Tokens.Where(token => token.Value.StartsWith('-')))
            result.AddError($"{token.Value} is not an option of 'run'");
    }
}
