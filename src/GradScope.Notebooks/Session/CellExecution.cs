namespace GradScope.Notebooks;

/// <summary>How a cell's code came to its end.</summary>
internal enum CellEnd
{
    /// <summary>By itself, well or not.</summary>
    Ran,

    /// <summary>It was stopped.</summary>
    Stopped,

    /// <summary>It was to stop and did not: it is inside of some library, on a background thread.</summary>
    LeftBehind,
}

/// <summary>
/// Runs one cell so that it can be stopped. The cell starts on a thread of its own; what follows an <c>await</c> comes back
/// through <see cref="Post"/> and runs on the pool, so that waiting for a task's <c>Result</c> cannot lock up. To stop, what
/// sleeps or waits is interrupted, what loops, prints or shows meets a <see cref="CellGuard"/>, and what an <c>await</c>
/// would bring back is dropped. Nothing is aborted: .NET's ControlledExecution was tried and ended the process now and then.
/// </summary>
internal sealed class CellExecution(Action<Exception> onStray) : SynchronizationContext
{
    private const int StackSize = 16 << 20;
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly HashSet<Thread> running = [];
    private readonly TaskCompletionSource<CellEnd> stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? idle;
    private bool stopping;

    /// <summary>Runs <paramref name="body"/> to its end, or stops it when <paramref name="stop"/> is cancelled.</summary>
    public async Task<CellEnd> RunAsync(Func<Task> body, CancellationToken stop)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => Enter(_ => body().ContinueWith(done.SetFromTask, TaskContinuationOptions.ExecuteSynchronously), null), StackSize)
        {
            IsBackground = true,
            Name = "cell",
        };
        thread.Start();
        await using var registration = stop.UnsafeRegister(_ => _ = StopAsync(), null);
        await Task.WhenAny(done.Task, stopped.Task).ConfigureAwait(false);
        if (stop.IsCancellationRequested)
        {
            // The token tells before its callbacks run, and the cell may have heeded it by then.
            await StopAsync().ConfigureAwait(false);
            return await stopped.Task.ConfigureAwait(false);
        }
        await done.Task.ConfigureAwait(false);
        return CellEnd.Ran;
    }

    public override void Post(SendOrPostCallback callback, object? state) =>
        ThreadPool.QueueUserWorkItem(_ => Enter(callback, state));

    public override SynchronizationContext CreateCopy() => this;

    private void Enter(SendOrPostCallback callback, object? state)
    {
        lock (gate)
        {
            if (stopping)
                return;
            running.Add(Thread.CurrentThread);
        }
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            callback(state);
        }
        catch (Exception) when (IsStopping())
        {
        }
        catch (Exception error)
        {
            onStray(error);
        }
        finally
        {
            SetSynchronizationContext(before);
            Leave();
        }
    }

    private void Leave()
    {
        while (true)
        {
            try
            {
                lock (gate)
                {
                    running.Remove(Thread.CurrentThread);
                    if (!stopping)
                        return;
                    ForgetInterrupt();
                    if (running.Count == 0)
                        idle?.TrySetResult();
                    return;
                }
            }
            catch (ThreadInterruptedException)
            {
                // It came while this waited for the lock; the second turn finds it gone.
            }
        }
    }

    private bool IsStopping()
    {
        lock (gate)
            return stopping;
    }

    /// <summary>An interrupt that found the thread awake waits for its next sleep; a pool thread must not carry it on.</summary>
    private static void ForgetInterrupt()
    {
        try
        {
            Thread.Sleep(0);
        }
        catch (ThreadInterruptedException)
        {
        }
    }

    private async Task StopAsync()
    {
        lock (gate)
        {
            if (stopping)
                return;
            stopping = true;
            idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
            if (running.Count == 0)
                idle.SetResult();
            CellGuard.Raise();
            foreach (var thread in running)
                thread.Interrupt();
        }
        var isIdle = await Task.WhenAny(idle.Task, Task.Delay(patience)).ConfigureAwait(false) == idle.Task;
        // What is left behind may come to a guard yet.
        if (isIdle)
            CellGuard.Lower();
        stopped.SetResult(isIdle ? CellEnd.Stopped : CellEnd.LeftBehind);
    }
}
