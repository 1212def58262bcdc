using System.CommandLine;
using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text.Json;
using GradScope.Notebooks;

namespace GradScope.Cli;

/// <summary>
/// Runs a notebook in a process of its own. The console, the working directory and the formatters that a cell registers
/// belong to a process, so notebooks that run side by side, or one after another, would meet in one; and a notebook that
/// ends its process ends no other.
/// </summary>
internal static class LessonWorker
{
    /// <summary>The command that such a process runs; nobody types it.</summary>
    public const string Name = "worker";

    /// <summary>A pipe's end must not be inherited by a process that is started at the same time.</summary>
    private static readonly Lock starting = new();

    private sealed record Order(string Name, string Folder, string Notebook, RunOptions Options);

    /// <summary>That a cell is about to run, or, where <paramref name="Notebook"/> is there, how all ended.</summary>
    private sealed record Note(int Cell, int Cells, TimeSpan Elapsed, string? Notebook = null, IReadOnlyList<CellRun>? Ran = null);

    /// <summary>Starts a process for the notebook and follows it to its end.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancel"/> was cancelled; the process has ended.</exception>
    public static async Task<NotebookRun> RunAsync(Lesson lesson, RunOptions options, Action<RunProgress> onProgress, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        using var pipe = new AnonymousPipeServerStream(PipeDirection.In, HandleInheritability.Inheritable);
        using var process = Start(pipe);
        await using var registration = cancel.UnsafeRegister(_ => process.Kill(entireProcessTree: true), null);
        var order = new Order(lesson.Notebook.Name, lesson.Folder, lesson.Notebook.ToJson(), options);
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(order).AsMemory(), cancel);
        await process.StandardInput.FlushAsync(cancel);

        var ran = new List<CellRun>();
        var (cell, cells, started) = (0, 0, TimeSpan.Zero);
        using var reader = new StreamReader(pipe);
        while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
        {
            var note = JsonSerializer.Deserialize<Note>(line)!;
            if (note.Notebook is not null)
            {
                process.StandardInput.Close();
                await process.WaitForExitAsync(cancel);
                return new(NotebookDocument.Parse(note.Notebook, lesson.Notebook.Name), note.Ran!, note.Cells, note.Elapsed);
            }
            if (cell > 0)
                ran.Add(new(cell, note.Elapsed - started, Failure: null));
            (cell, cells, started) = (note.Cell, note.Cells, note.Elapsed);
            onProgress(new(lesson.Notebook, cell, cells));
        }
        await process.WaitForExitAsync(CancellationToken.None);
        cancel.ThrowIfCancellationRequested();
        ran.Add(new(cell, clock.Elapsed - started, new(lesson.Notebook.Name, cell, Line: null,
            $"the cell ended the process that ran the notebook (exit code {process.ExitCode}); its outputs are lost")));
        return new(lesson.Notebook, ran, cells, clock.Elapsed);
    }

    public static Command Create()
    {
        var handle = new Argument<string>("pipe");
        var command = new Command(Name) { handle };
        command.Hidden = true;
        command.SetAction((parsed, _) => ServeAsync(parsed.GetValue(handle)!));
        return command;
    }

    private static Process Start(AnonymousPipeServerStream pipe)
    {
        lock (starting)
        {
            var start = new ProcessStartInfo(DotNetCommand.Path, [typeof(LessonWorker).Assembly.Location, Name, pipe.GetClientHandleAsString()])
            {
                RedirectStandardInput = true,
            };
            var process = Process.Start(start)!;
            pipe.DisposeLocalCopyOfClientHandle();
            return process;
        }
    }

    private static async Task<int> ServeAsync(string handle)
    {
        // Ctrl+C reaches this process too, but whoever gave the order decides.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        var input = new StreamReader(Console.OpenStandardInput());
        var order = JsonSerializer.Deserialize<Order>(await input.ReadLineAsync() ?? "null");
        if (order is null)
            return ExitCode.Stopped;
        // When the other end goes, nobody waits for this notebook any more.
        _ = input.ReadLineAsync().ContinueWith(_ => Environment.Exit(ExitCode.Stopped), TaskScheduler.Default);

        await using var writer = new StreamWriter(new AnonymousPipeClientStream(PipeDirection.Out, handle)) { AutoFlush = true };
        var clock = Stopwatch.StartNew();
        var notebook = NotebookDocument.Parse(order.Notebook, order.Name);
        var run = await new NotebookRunner(new SessionOptions { Packages = HostPackages.All }).RunAsync(notebook, order.Folder, order.Options,
            step => writer.WriteLine(JsonSerializer.Serialize(new Note(step.Cell, step.Cells, clock.Elapsed))));
        writer.WriteLine(JsonSerializer.Serialize(new Note(run.Ran.Count, run.Cells, run.Elapsed, notebook.ToJson(), run.Ran)));
        return ExitCode.Passed;
    }
}
