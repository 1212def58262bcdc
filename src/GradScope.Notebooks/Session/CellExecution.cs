using System.Runtime;

namespace GradScope.Notebooks;

/// <summary>
/// Runs one cell so that it can be stopped, whatever it does. The cell starts on a thread of its own; what follows an
/// <c>await</c> comes back through <see cref="Post"/> and runs on the pool, so that waiting for a task's <c>Result</c>
/// cannot lock up. To stop: what sleeps or waits is interrupted, what computes is aborted a little later, and what an
/// <c>await</c> would bring back is dropped.
/// </summary>
sealed class CellExecution(Action<Exception> onStray) : SynchronizationContext
{
    const int StackSize = 16 << 20;
    static readonly TimeSpan beforeAbort = TimeSpan.FromMilliseconds(200), beforeGivingUp = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    readonly HashSet<Thread> running = [];
    readonly CancellationTokenSource abort = new();
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

    void Enter(SendOrPostCallback callback, object? state)
    {
        var thread = Thread.CurrentThread;
        lock (gate)
        {
            if (stopping)
                return;
            running.Add(thread);
        }
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
#pragma warning disable SYSLIB0046 // Aborting is what a cell that never ends needs, and this is the one way that is left.
            ControlledExecution.Run(() => callback(state), abort.Token);
#pragma warning restore SYSLIB0046
        }
        catch (Exception) when (stopping)
        {
        }
        catch (Exception error)
        {
            onStray(error);
        }
        finally
        {
            Leave(thread, before);
        }
    }

    void Leave(Thread thread, SynchronizationContext? before)
    {
        SetSynchronizationContext(before);
        while (true)
        {
            try
            {
                lock (gate)
                {
                    running.Remove(thread);
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
            foreach (var thread in running)
                thread.Interrupt();
        }
        if (!await IsIdleWithin(beforeAbort).ConfigureAwait(false))
        {
            _ = Task.Run(abort.Cancel);
            await IsIdleWithin(beforeGivingUp).ConfigureAwait(false);
        }
        stopped.SetResult();
    }

    async Task<bool> IsIdleWithin(TimeSpan time) =>
        await Task.WhenAny(idle!.Task, Task.Delay(time)).ConfigureAwait(false) == idle.Task;
}
