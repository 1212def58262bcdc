using System.Globalization;
using GradScope.Notebooks;
using Spectre.Console;

namespace GradScope.Cli;

/// <summary>One call of <c>gradscope run</c>: reads every notebook, runs them, writes what was asked for, and sums up.</summary>
internal sealed class LessonRun(ToolConsole console)
{
    private const string IndexFile = "index.html";

    private readonly IAnsiConsole rich = console.Rich();

    public required bool InPlace { get; init; }

    public required string? OutFolder { get; init; }

    public required string? PageFolder { get; init; }

    public required string? ReportFile { get; init; }

    public required int Jobs { get; init; }

    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    public required RunOptions Options { get; init; }

    /// <summary>Gives the process's exit code; every message has been written by then.</summary>
    public async Task<int> RunAsync(string[] paths, CancellationToken cancel)
    {
        try
        {
            var lessons = Lesson.Find(paths, new[] { OutFolder, PageFolder }.OfType<string>());
            Check(lessons);
            foreach (var lesson in lessons)
                NotebookParameters.Set(lesson.Notebook, Parameters);
            var runs = await RunAllAsync(lessons, cancel);
            foreach (var failure in runs.SelectMany(run => run.Failures))
                console.Error.WriteLine(failure);
            WriteIndex(lessons, runs);
            if (ReportFile is not null)
                JUnitReport.Save(ReportFile, runs);
            Summarise(runs);
            return runs.All(run => run.Passed) ? ExitCode.Passed : ExitCode.CellFailed;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            console.Error.WriteLine("Stopped. Notebooks that had not ended are as they were.");
            return ExitCode.Stopped;
        }
        catch (Exception fault) when (fault is UsageException or NotebookFormatException or NotebookParameterException or IOException or UnauthorizedAccessException)
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
        if (InPlace && Parameters.Count > 0)
            throw new UsageException("--set would be written into the notebook by --in-place; use --out or --html");
        if (Directory.Exists(ReportFile))
            throw new UsageException($"--report {ReportFile} is a folder; name a file");
        if (OutFolder is { } own && lessons.FirstOrDefault(lesson => Path.GetFullPath(own) == lesson.Folder) is { } lesson)
            throw new UsageException($"--out {own} is where {lesson.Path} lies; use --in-place to write into it");
        foreach (var target in new[] { OutFolder, PageFolder })
            if (File.Exists(target))
                throw new UsageException($"{target} is a file; name a folder");
    }

    private async Task<IReadOnlyList<NotebookRun>> RunAllAsync(IReadOnlyList<Lesson> lessons, CancellationToken cancel)
    {
        if (!rich.Profile.Capabilities.Interactive)
            return await RunAllAsync(lessons, (_, step) => Line(step), _ => { }, cancel);

        var width = lessons.Max(lesson => lesson.Name.Length);
        var progress = rich.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn());
        return await progress.StartAsync(async context =>
        {
            var names = lessons.Select(lesson => lesson.Name.PadRight(width)).ToList();
            var bars = names.Select(name => context.AddTask(Markup.Escape(name), autoStart: false)).ToList();
            return await RunAllAsync(lessons, (i, step) =>
            {
                var bar = bars[i];
                if (!bar.IsStarted)
                    bar.StartTask();
                bar.MaxValue = step.Cells;
                bar.Value = step.Cell - 1;
                bar.Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture, $"{names[i]} cell {step.Cell,3} of {step.Cells}"));
            }, i =>
            {
                bars[i].Value = bars[i].MaxValue;
                bars[i].StopTask();
            }, cancel);
        });
    }

    private async Task<IReadOnlyList<NotebookRun>> RunAllAsync(IReadOnlyList<Lesson> lessons, Action<int, RunProgress> onProgress, Action<int> onEnd, CancellationToken cancel)
    {
        var runs = new NotebookRun[lessons.Count];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = Jobs, CancellationToken = cancel };
        await Parallel.ForAsync(0, lessons.Count, parallel, async (i, stop) =>
        {
            var lesson = lessons[i];
            void Progress(RunProgress step) => onProgress(i, step);
            runs[i] = lessons.Count == 1
                ? await new NotebookRunner(new SessionOptions { Packages = HostPackages.All }).RunAsync(lesson.Notebook, lesson.Folder, Options, Progress, stop)
                : await LessonWorker.RunAsync(lesson, Options, Progress, stop);
            Write(lessons, i, runs[i]);
            onEnd(i);
        });
        return runs;
    }

    private void Line(RunProgress step) =>
        console.Output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{step.Notebook.Name}: cell {step.Cell} of {step.Cells}"));

    private void Write(IReadOnlyList<Lesson> lessons, int i, NotebookRun run)
    {
        var lesson = lessons[i];
        if (InPlace && (run.Passed || Options.AllowErrors))
            run.Notebook.Save(lesson.Path);
        if (OutFolder is not null)
            run.Notebook.Save(Path.Combine(OutFolder, lesson.Name + ".ipynb"));
        if (PageFolder is not null)
            AtomicFile.WriteAllText(PageOf(lesson), NotebookPage.Render(run.Notebook, lesson.Folder,
                previous: Link(lessons.ElementAtOrDefault(i - 1)), next: Link(lessons.ElementAtOrDefault(i + 1)), index: IndexFile));
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
                new Text(run.Ran.Count == run.Cells ? $"{run.Cells}" : $"{run.Ran.Count} of {run.Cells}"),
                new Text(run.Elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)),
                run.Passed ? new Text("passed", new Style(Color.Green)) : new Text($"failed in cell {failed}", new Style(Color.Red)));
        }
        rich.Write(table);
        if (InPlace && !Options.AllowErrors && runs.Any(run => !run.Passed))
            console.Output.WriteLine("Notebooks with a failed cell were not written; --allow-errors writes them too.");
        if (OutFolder is not null)
            console.Output.WriteLine($"Notebooks with outputs: {OutFolder}");
        if (ReportFile is not null)
            console.Output.WriteLine($"Report: {ReportFile}");
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
