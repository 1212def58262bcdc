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
    private readonly CancellationToken stop;
    private readonly List<Task> endings = [];
    private bool closed;

    internal CellContext(Action<CellOutput> publish, MagicCommands magics, Func<CancellationToken, string>? readLine, CancellationToken stop)
    {
        this.publish = publish;
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
    public CancellationToken Stopping => stop;

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
        lock (gate)
            if (!closed)
                publish(output);
    }

    internal void ThrowIfStopped() => stop.ThrowIfCancellationRequested();

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
