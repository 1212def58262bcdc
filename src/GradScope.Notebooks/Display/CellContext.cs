using System.Runtime.ExceptionServices;

namespace GradScope.Notebooks;

/// <summary>
/// The running cell, as seen by whatever it calls. It follows the cell into the tasks and threads that it starts, which is
/// how a library shows something without knowing the host.
/// </summary>
public sealed class CellContext
{
    private static readonly AsyncLocal<CellContext?> current = new();

    private readonly Lock gate = new();
    private readonly Action<CellOutput> publish;
    private readonly Func<Exception, CellOutput.Error> report;
    private readonly CancellationToken stop;
    private readonly CancellationTokenSource stopping = new();
    private readonly List<Task> endings = [];
    private bool closed;

    static CellContext()
    {
        try
        {
            ExceptionHandling.SetUnhandledExceptionHandler(IsOfCell);
        }
        catch (InvalidOperationException)
        {
            // Whoever runs this host in a program of theirs has set one already, and decides.
        }
    }

    internal CellContext(Action<CellOutput> publish, Func<Exception, CellOutput.Error> report, MagicCommands magics, Func<CancellationToken, string>? readLine, CancellationToken stop)
    {
        this.publish = publish;
        this.report = report;
        Magics = magics;
        this.stop = stop;
        Input = new CellInput(readLine, stop);
    }

    /// <summary>What the cell reads from the console.</summary>
    internal TextReader Input { get; }

    /// <summary>The cell that this code runs for; null outside of a cell.</summary>
    public static CellContext? Current
    {
        get => current.Value;
        internal set => current.Value = value;
    }

    /// <summary>The commands of the cell's session; what is added can be used from this cell on.</summary>
    public MagicCommands Magics { get; }

    /// <summary>
    /// Shows a value in the cell's output. The handle replaces it, from any thread, until the cell that updates it has
    /// ended; what comes later is dropped, as it is in every notebook host.
    /// </summary>
    public DisplayHandle Display(object? value, params string[] mimeTypes)
    {
        var handle = new DisplayHandle(this, mimeTypes);
        Publish(new CellOutput.Display(MimeBundle.Of(value, mimeTypes), handle.Id));
        return handle;
    }

    /// <summary>
    /// Takes away what the cell has put out so far; with <paramref name="wait"/> only when it puts out something new, so
    /// that nothing flickers.
    /// </summary>
    public void ClearOutput(bool wait = false) => Publish(new CellOutput.Clear(wait));

    /// <summary>Cancelled when the cell is to stop.</summary>
    public CancellationToken Stopping => stopping.Token;

    /// <summary>
    /// Names a task at whose end the cell's outputs are complete: a cell that is stopped waits for it, for 2 s at the most, so that a
    /// display which follows some work may show where the work stopped (<see cref="DisplayHandle.Finish"/>).
    /// </summary>
    public void WaitFor(Task ending)
    {
        lock (gate)
            endings.Add(ending);
    }

    internal Task EndingsAsync()
    {
        lock (gate)
            return Task.WhenAll(endings).WaitAsync(TimeSpan.FromSeconds(2)).ContinueWith(_ => { }, TaskScheduler.Default);
    }

    /// <summary>Whoever prints or shows something for a cell that is to stop is stopped by that.</summary>
    internal void Publish(CellOutput output)
    {
        ThrowIfStopped();
        PublishLast(output);
    }

    /// <summary>Publishes for a cell that is being stopped, too.</summary>
    internal void PublishLast(CellOutput output)
    {
        using var shield = CellExecution.Protect();
        lock (gate)
            if (!closed)
                publish(output);
    }

    /// <summary>Shows an exception that nobody awaits; one by which the cell is being stopped is none. It throws nothing, as it may stand last on its thread.</summary>
    internal void Tell(Exception stray)
    {
        try
        {
            if (!stop.IsCancellationRequested)
                Publish(new CellOutput.Stream("stderr", string.Join('\n', report(stray).Traceback) + "\n"));
        }
        catch (Exception)
        {
        }
    }

    /// <summary>A thread that a cell has started ends by its exception, and the process does not.</summary>
    private static bool IsOfCell(Exception unhandled)
    {
        Current?.Tell(unhandled);
        return Current is not null;
    }

    internal void ThrowIfStopped() => stop.ThrowIfCancellationRequested();

    /// <summary>Tells whoever has asked to be told, and waits for none of them.</summary>
    internal void Stop() => _ = stopping.CancelAsync();

    /// <summary>From here on the cell's outputs are complete.</summary>
    internal void Close()
    {
        lock (gate)
            closed = true;
    }
}

/// <summary>A value on display, to be replaced by a newer one in the same place.</summary>
public sealed class DisplayHandle
{
    private readonly CellContext shownIn;
    private readonly string[] mimeTypes;

    internal DisplayHandle(CellContext shownIn, string[] mimeTypes)
    {
        this.shownIn = shownIn;
        this.mimeTypes = mimeTypes;
    }

    /// <summary>The Jupyter <c>display_id</c>.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Shows <paramref name="value"/> where the last one stood.</summary>
    /// <exception cref="OperationCanceledException">The cell is being stopped.</exception>
    public void Update(object? value) =>
        (CellContext.Current ?? shownIn).Publish(new CellOutput.Update(MimeBundle.Of(value, mimeTypes), Id));

    /// <summary>Shows the last value, also while the cell is being stopped.</summary>
    public void Finish(object? value) =>
        (CellContext.Current ?? shownIn).PublishLast(new CellOutput.Update(MimeBundle.Of(value, mimeTypes), Id));
}
