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
/// <param name="onStray">Told of an exception that nobody awaits; it throws none itself.</param>
internal sealed class CellExecution(Action<Exception> onStray) : SynchronizationContext
{
    private const int StackSize = 16 << 20;
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(2);

    [ThreadStatic]
    private static CellThread? current;

    private readonly Lock gate = new();
    private readonly HashSet<CellThread> running = [];
    private readonly TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<CellEnd> stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile int stopping;

    /// <summary>
    /// Until it is disposed of, no interrupt reaches this thread: an interrupt in the middle of the compiler, of a socket or of a type's
    /// initializer would break it for good. What is due then comes after.
    /// </summary>
    public static Shield Protect() => new(current);

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

    public override void Post(SendOrPostCallback d, object? state) => ThreadPool.QueueUserWorkItem(_ => Enter(d, state));

    public override SynchronizationContext CreateCopy() => this;

    private void Enter(SendOrPostCallback callback, object? state)
    {
        var thread = new CellThread();
        lock (gate)
        {
            if (stopping != 0)
                return;
            running.Add(thread);
        }
        var before = Current;
        SetSynchronizationContext(this);
        current = thread;
        try
        {
            callback(state);
        }
        catch (Exception) when (stopping != 0)
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
            thread.Leave();
            Leave(thread);
        }
    }

    private void Leave(CellThread thread)
    {
        lock (gate)
        {
            running.Remove(thread);
            if (stopping != 0 && running.Count == 0)
                idle.TrySetResult();
        }
    }

    private async Task StopAsync()
    {
        if (Interlocked.Exchange(ref stopping, 1) != 0)
            return;
        var end = CellEnd.LeftBehind;
        try
        {
            CellGuard.Raise();
            lock (gate)
            {
                foreach (var thread in running)
                    thread.Interrupt();
                if (running.Count == 0)
                    idle.TrySetResult();
            }
            // What is left behind may come to a guard yet.
            if (await Task.WhenAny(idle.Task, Task.Delay(patience)).ConfigureAwait(false) == idle.Task)
            {
                CellGuard.Lower();
                end = CellEnd.Stopped;
            }
        }
        finally
        {
            stopped.SetResult(end);
        }
    }

    /// <summary>See <see cref="Protect"/>.</summary>
    internal readonly ref struct Shield
    {
        private readonly CellThread? thread;

        public Shield(CellThread? thread) => this.thread = thread?.Raise() == true ? thread : null;

        public void Dispose() => thread?.Lower();
    }

    /// <summary>
    /// A thread inside of a cell. It is interrupted once at the most, and never behind a shield, nor once it has left. Its steps
    /// wait for no lock, as waiting is what an interrupt cuts short.
    /// </summary>
    internal sealed class CellThread
    {
        private const int Open = 0, Shielded = 1, Due = 2, Interrupting = 3, Interrupted = 4, Left = 5;

        private readonly Thread thread = Thread.CurrentThread;
        private int state;

        /// <summary>Interrupts the thread, or has it interrupt itself once its shield is down.</summary>
        public void Interrupt()
        {
            while (true)
            {
                switch (Volatile.Read(ref state))
                {
                    case Open when Step(Open, Interrupting):
                        thread.Interrupt();
                        Volatile.Write(ref state, Interrupted);
                        return;
                    case Shielded when Step(Shielded, Due):
                    case Due or Interrupting or Interrupted or Left:
                        return;
                }
            }
        }

        /// <summary>Whether the shield is to be lowered again; not where it was up.</summary>
        public bool Raise()
        {
            while (true)
            {
                switch (Volatile.Read(ref state))
                {
                    case Open when Step(Open, Shielded):
                        return true;
                    case Interrupted:
                        Forget();
                        Volatile.Write(ref state, Due);
                        return true;
                    case Shielded or Due or Left:
                        return false;
                }
            }
        }

        public void Lower()
        {
            if (Step(Shielded, Open))
                return;
            thread.Interrupt();
            Volatile.Write(ref state, Interrupted);
        }

        /// <summary>The thread goes on to something else, which an interrupt is not meant for.</summary>
        public void Leave()
        {
            while (!Step(Open, Left))
            {
                if (Volatile.Read(ref state) != Interrupted)
                    continue;
                Forget();
                Volatile.Write(ref state, Left);
                return;
            }
        }

        private bool Step(int from, int to) => Interlocked.CompareExchange(ref state, to, from) == from;

        /// <summary>An interrupt that has found the thread awake waits for its next sleep.</summary>
        private static void Forget()
        {
            try
            {
                Thread.Sleep(0);
            }
            catch (ThreadInterruptedException)
            {
            }
        }
    }
}
