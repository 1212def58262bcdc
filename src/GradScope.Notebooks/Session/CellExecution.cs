using System.Runtime;

namespace GradScope.Notebooks;

/// <summary>
/// Runs one cell so that it can be stopped, whatever it does. The cell starts on a thread of its own; what follows an
/// <c>await</c> comes back through <see cref="Post"/> and runs on the pool, so that waiting for a task's <c>Result</c>
/// cannot lock up. To stop: what sleeps or waits is interrupted, what computes is aborted a little later, and what an
/// <c>await</c> would bring back is dropped. What cannot be aborted is left behind on its background thread.
/// </summary>
sealed class CellExecution(Action<Exception> onStray) : SynchronizationContext
{
    const int StackSize = 16 << 20;
    static readonly TimeSpan beforeAbort = TimeSpan.FromMilliseconds(200), beforeGivingUp = TimeSpan.FromSeconds(2);

    [ThreadStatic]
    static Region? current;

    readonly Lock gate = new();
    readonly HashSet<Region> running = [];
    readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    TaskCompletionSource? idle;
    bool stopping;

    /// <summary>Runs <paramref name="body"/> to its end and gives true, or stops it on <paramref name="stop"/> and gives false.</summary>
    public async Task<bool> RunAsync(Func<Task> body, CancellationToken stop)
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
        if (IsStopping())
        {
            await stopped.Task.ConfigureAwait(false);
            return false;
        }
        await done.Task.ConfigureAwait(false);
        return true;
    }

    public override void Post(SendOrPostCallback callback, object? state) =>
        ThreadPool.QueueUserWorkItem(_ => Enter(callback, state));

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>
    /// Does work that must not be aborted: formatters run compiled and reflected code, and an abort there has been seen to
    /// end the whole process.
    /// </summary>
    public static T Shielded<T>(Func<T> work)
    {
        if (current is not { } region)
            return work();
        region.Shield();
        try
        {
            return work();
        }
        finally
        {
            region.Unshield();
        }
    }

    void Enter(SendOrPostCallback callback, object? state)
    {
        var region = new Region();
        lock (gate)
        {
            if (stopping)
                return;
            running.Add(region);
        }
        var before = Current;
        SetSynchronizationContext(this);
        current = region;
        try
        {
#pragma warning disable SYSLIB0046 // Aborting is what a cell that never ends needs, and this is the one way that is left.
            ControlledExecution.Run(() => callback(state), region.Aborted);
#pragma warning restore SYSLIB0046
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
            current = null;
            SetSynchronizationContext(before);
            Leave(region);
        }
    }

    void Leave(Region region)
    {
        while (true)
        {
            try
            {
                lock (gate)
                {
                    running.Remove(region);
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

    bool IsStopping()
    {
        lock (gate)
            return stopping;
    }

    /// <summary>An interrupt that found the thread awake waits for its next sleep; a pool thread must not carry it on.</summary>
    static void ForgetInterrupt()
    {
        try
        {
            Thread.Sleep(0);
        }
        catch (ThreadInterruptedException)
        {
        }
    }

    async Task StopAsync()
    {
        lock (gate)
        {
            if (stopping)
                return;
            stopping = true;
            idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
            if (running.Count == 0)
                idle.SetResult();
            foreach (var region in running)
                region.Thread.Interrupt();
        }
        if (!await IsIdleWithin(beforeAbort).ConfigureAwait(false))
        {
            lock (gate)
                foreach (var region in running)
                    region.Abort();
            await IsIdleWithin(beforeGivingUp).ConfigureAwait(false);
        }
        stopped.SetResult();
    }

    async Task<bool> IsIdleWithin(TimeSpan time) =>
        await Task.WhenAny(idle!.Task, Task.Delay(time)).ConfigureAwait(false) == idle.Task;

    /// <summary>A stretch of the cell on one thread.</summary>
    sealed class Region
    {
        readonly Lock gate = new();
        readonly CancellationTokenSource abort = new();
        int shields;
        bool isDue;

        public Thread Thread { get; } = Thread.CurrentThread;

        public CancellationToken Aborted => abort.Token;

        public void Abort()
        {
            lock (gate)
            {
                isDue = true;
                // Cancelling aborts the thread and waits for it, which must not happen under a lock.
                if (shields == 0)
                    _ = Task.Run(abort.Cancel);
            }
        }

        public void Shield()
        {
            lock (gate)
                shields++;
        }

        public void Unshield()
        {
            lock (gate)
                if (--shields > 0 || !isDue)
                    return;
            throw new OperationCanceledException("The cell was stopped.");
        }
    }
}
