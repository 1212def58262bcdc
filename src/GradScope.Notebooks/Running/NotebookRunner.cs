using System.Diagnostics;
using System.Globalization;

namespace GradScope.Notebooks;

/// <summary>How a notebook is run.</summary>
public sealed record RunOptions
{
    /// <summary>What a cell may take; null for as long as it likes.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Go on after a cell that failed.</summary>
    public bool AllowErrors { get; init; }
}

/// <summary>A cell is about to run: <paramref name="Cell"/> of <paramref name="Cells"/> cells with code, from 1.</summary>
public sealed record RunProgress(NotebookDocument Notebook, int Cell, int Cells);

/// <summary>A cell that failed: <paramref name="Cell"/> is its execution count, <paramref name="Line"/> counts from 1.</summary>
public sealed record CellFailure(string Notebook, int Cell, int? Line, string Message)
{
    /// <summary><c>notebook, cell n, line l: message</c></summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Notebook}, cell {Cell}{(Line is null ? "" : $", line {Line}")}: {Message}");
}

/// <summary>A cell that was run: <paramref name="Cell"/> is its execution count, <paramref name="Elapsed"/> its wall time.</summary>
public sealed record CellRun(int Cell, TimeSpan Elapsed, CellFailure? Failure);

/// <summary>What became of a notebook. Its outputs are in the document that was run.</summary>
/// <param name="Notebook">The notebook, with the outputs of this run and of no other.</param>
/// <param name="Ran">The cells that were started, in order.</param>
/// <param name="Cells">How many cells have code.</param>
/// <param name="Elapsed">Wall time.</param>
public sealed record NotebookRun(NotebookDocument Notebook, IReadOnlyList<CellRun> Ran, int Cells, TimeSpan Elapsed)
{
    /// <summary>Failed cells in order; one at most unless errors are allowed.</summary>
    public IEnumerable<CellFailure> Failures => Ran.Select(cell => cell.Failure).OfType<CellFailure>();

    /// <summary>No cell failed.</summary>
    public bool Passed => !Failures.Any();
}

/// <summary>
/// Runs notebooks top to bottom, each in a session of its own and with its folder as the process's working directory, so
/// one at a time. Every output of an earlier run is forgotten before the first cell starts.
/// </summary>
public sealed class NotebookRunner(SessionOptions session)
{
    /// <summary>Runs every code cell of a notebook that lies in <paramref name="folder"/> and fills in its outputs.</summary>
    /// <param name="notebook">The notebook; it is changed in memory alone.</param>
    /// <param name="folder">The working directory of its cells.</param>
    /// <param name="options">Timeout and what to do after a failure.</param>
    /// <param name="onProgress">Told before each cell.</param>
    /// <param name="cancel">Stops the cell that runs, and the run.</param>
    /// <exception cref="NotebookFormatException">The notebook is in another language than C#.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancel"/> was cancelled.</exception>
    public async Task<NotebookRun> RunAsync(NotebookDocument notebook, string folder, RunOptions options,
        Action<RunProgress>? onProgress = null, CancellationToken cancel = default)
    {
        notebook.RequireCSharp();
        var clock = Stopwatch.StartNew();
        var code = notebook.Cells.Where(cell => cell.Kind == CellKind.Code).ToList();
        foreach (var cell in code)
            cell.ClearOutputs();
        var toRun = code.Where(cell => !string.IsNullOrWhiteSpace(cell.Source)).ToList();

        var ran = new List<CellRun>();
        var collector = new OutputCollector();
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = folder;
        try
        {
            using var cells = new CSharpSession(session with { Folder = folder });
            foreach (var cell in toRun)
            {
                var count = ran.Count + 1;
                onProgress?.Invoke(new(notebook, count, toRun.Count));
                var started = clock.Elapsed;
                var error = await RunAsync(cells, cell, count, collector, options, cancel).ConfigureAwait(false);
                ran.Add(new(count, clock.Elapsed - started, error is null ? null : new(notebook.Name, count, error.Line, error.Message)));
                if (error is not null && !options.AllowErrors)
                    break;
            }
            return new(notebook, ran, toRun.Count, clock.Elapsed);
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    /// <summary>The error of a cell that counts as failed, which one that is tagged as expected to fail does not.</summary>
    private static async Task<CellOutput.Error?> RunAsync(CSharpSession cells, NotebookCell cell, int count,
        OutputCollector collector, RunOptions options, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        if (options.Timeout is { } timeout)
            limit.CancelAfter(timeout);
        collector.Begin(cell, count);
        try
        {
            var result = await cells.ExecuteAsync(cell.Source, collector.Add, cell.Language ?? "csharp", limit.Token).ConfigureAwait(false);
            cancel.ThrowIfCancellationRequested();
            var error = result.Error;
            if (result.WasStopped)
            {
                var message = string.Create(CultureInfo.InvariantCulture,
                    $"stopped after {options.Timeout!.Value.TotalSeconds:0.###} s, the time a cell is given (--timeout)");
                collector.Add(error = new CellOutput.Error("Timeout", message, [message], Line: null));
            }
            return cell.Tags.Contains("raises-exception") ? null : error;
        }
        finally
        {
            collector.End();
        }
    }
}
