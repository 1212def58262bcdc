using System.Globalization;
using GradScope.Notebooks;
using Spectre.Console;

namespace GradScope.Cli;

/// <summary>One call of <c>gradscope run</c>: reads every notebook, runs them in order, writes what was asked for, and sums up.</summary>
internal sealed class LessonRun(ToolConsole console)
{
    private const string IndexFile = "index.html";

    private readonly IAnsiConsole rich = console.Rich();
    private readonly List<CellFailure> failures = [];

    public required bool InPlace { get; init; }

    public required string? OutFolder { get; init; }

    public required string? PageFolder { get; init; }

    public required RunOptions Options { get; init; }

    /// <summary>Gives the process's exit code; every message has been written by then.</summary>
    public async Task<int> RunAsync(string[] paths, CancellationToken cancel)
    {
        try
        {
            var lessons = Lesson.Find(paths, new[] { OutFolder, PageFolder }.OfType<string>());
            Check(lessons);
            var runs = await RunAllAsync(lessons, cancel);
            WriteIndex(lessons, runs);
            Summarise(runs);
            return runs.All(run => run.Passed) ? ExitCode.Passed : ExitCode.CellFailed;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            console.Error.WriteLine("Stopped. Notebooks that had not ended are as they were.");
            return ExitCode.Stopped;
        }
        catch (Exception fault) when (fault is UsageException or NotebookFormatException or IOException or UnauthorizedAccessException)
        {
            console.Error.WriteLine(fault.Message);
            return ExitCode.BadInput;
        }
    }

    /// <summary>What can be known to go wrong is said before the first cell runs.</summary>
    private void Check(IReadOnlyList<Lesson> lessons)
    {
        var twice = lessons.GroupBy(lesson => lesson.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null && (OutFolder ?? PageFolder) is { } folder)
            throw new UsageException($"{string.Join(" and ", twice.Select(lesson => lesson.Path))} would both be written to {folder}; run them one at a time");
        if (InPlace && lessons.FirstOrDefault(lesson => lesson.IsDib) is { } dib)
            throw new UsageException($"{dib.Path}: a .dib file holds no outputs, so there is nothing to write in place; use --out or --html");
        if (OutFolder is { } own && lessons.FirstOrDefault(lesson => Path.GetFullPath(own) == lesson.Folder) is { } lesson)
            throw new UsageException($"--out {own} is where {lesson.Path} lies; use --in-place to write into it");
        foreach (var target in new[] { OutFolder, PageFolder })
            if (File.Exists(target))
                throw new UsageException($"{target} is a file; name a folder");
    }

    private async Task<IReadOnlyList<NotebookRun>> RunAllAsync(IReadOnlyList<Lesson> lessons, CancellationToken cancel)
    {
        var runs = new List<NotebookRun>();
        if (!rich.Profile.Capabilities.Interactive)
        {
            for (var i = 0; i < lessons.Count; i++)
                runs.Add(await RunAsync(lessons, i, Line, cancel));
            ReportFailures();
            return runs;
        }

        var width = lessons.Max(lesson => lesson.Name.Length);
        var progress = rich.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn());
        await progress.StartAsync(async bars =>
        {
            for (var i = 0; i < lessons.Count; i++)
            {
                var name = lessons[i].Name.PadRight(width);
                var bar = bars.AddTask(Markup.Escape(name));
                var run = await RunAsync(lessons, i, step =>
                {
                    bar.MaxValue = step.Cells;
                    bar.Value = step.Cell - 1;
                    bar.Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture, $"{name} cell {step.Cell,3} of {step.Cells}"));
                }, cancel);
                runs.Add(run);
                if (run.CellsRun == run.Cells)
                    bar.Value = bar.MaxValue;
                bar.StopTask();
            }
        });
        ReportFailures();
        return runs;
    }

    private void Line(RunProgress step) =>
        console.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{step.Notebook.Name}: cell {step.Cell} of {step.Cells}"));

    private async Task<NotebookRun> RunAsync(IReadOnlyList<Lesson> lessons, int i, Action<RunProgress> onProgress, CancellationToken cancel)
    {
        var lesson = lessons[i];
        var runner = new NotebookRunner(new SessionOptions { Packages = HostPackages.All });
        var run = await runner.RunAsync(lesson.Notebook, lesson.Folder, Options, onProgress, cancel);
        failures.AddRange(run.Failures);

        if (InPlace && (run.Passed || Options.AllowErrors))
            lesson.Notebook.Save(lesson.Path);
        if (OutFolder is not null)
            lesson.Notebook.Save(Path.Combine(OutFolder, lesson.Name + ".ipynb"));
        if (PageFolder is not null)
            AtomicFile.WriteAllText(PageOf(lesson), NotebookPage.Render(lesson.Notebook, lesson.Folder,
                previous: Link(lessons.ElementAtOrDefault(i - 1)), next: Link(lessons.ElementAtOrDefault(i + 1)), index: IndexFile));
        return run;
    }

    private void ReportFailures()
    {
        foreach (var failure in failures)
            console.Error.WriteLine(failure);
    }

    private void WriteIndex(IReadOnlyList<Lesson> lessons, IReadOnlyList<NotebookRun> runs)
    {
        if (PageFolder is null)
            return;
        var links = lessons.Zip(runs, (lesson, run) => Link(lesson)! with { Passed = run.Passed, Summary = NotebookPage.Summary(lesson.Notebook) });
        AtomicFile.WriteAllText(Path.Combine(PageFolder, IndexFile), NotebookPage.RenderIndex("Lessons", [.. links]));
    }

    private void Summarise(IReadOnlyList<NotebookRun> runs)
    {
        var table = new Table().Border(TableBorder.Simple)
            .AddColumns(new TableColumn("notebook").NoWrap(), new TableColumn("cells").RightAligned(), new TableColumn("seconds").RightAligned(), new TableColumn("result").NoWrap());
        foreach (var run in runs)
        {
            var failed = string.Join(", ", run.Failures.Select(failure => failure.Cell));
            table.AddRow(
                new Text(Path.GetFileName(run.Notebook.Name)),
                new Text(run.CellsRun == run.Cells ? $"{run.Cells}" : $"{run.CellsRun} of {run.Cells}"),
                new Text(run.Elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)),
                run.Passed ? new Text("passed", new Style(Color.Green)) : new Text($"failed in cell {failed}", new Style(Color.Red)));
        }
        rich.Write(table);
        if (InPlace && !Options.AllowErrors && runs.Any(run => !run.Passed))
            console.Output.WriteLine("Notebooks with a failed cell were not written; --allow-errors writes them too.");
        if (OutFolder is not null)
            console.Output.WriteLine($"Notebooks with outputs: {OutFolder}");
        if (PageFolder is not null)
        {
            console.Output.WriteLine("Pages to open:");
            console.Output.WriteLine($"  {Path.Combine(PageFolder, IndexFile)}");
            foreach (var run in runs)
                console.Output.WriteLine($"  {Path.Combine(PageFolder, Path.GetFileNameWithoutExtension(run.Notebook.Name) + ".html")}");
        }
    }

    private string PageOf(Lesson lesson) => Path.Combine(PageFolder!, lesson.Name + ".html");

    private static LessonLink? Link(Lesson? lesson) => lesson is null ? null : new(lesson.Name + ".html", lesson.Notebook.Title, "", Passed: true);
}
