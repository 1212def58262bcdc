using System.Runtime.CompilerServices;

namespace GradScope.Notebooks.Tests;

public sealed class CellExecutionTests
{
    private static readonly TimeSpan patience = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stop = new();
    private readonly List<Exception> strays = [];

    [Fact]
    public async Task A_wait_is_interrupted() =>
        Assert.Equal(CellEnd.Stopped, await RunAsync(() =>
        {
            stop.Cancel();
            Thread.Sleep(Timeout.Infinite);
        }));

    [Fact]
    public void An_interrupt_comes_after_what_is_protected_and_not_into_it()
    {
        var thread = new CellExecution.CellThread();
        Assert.True(thread.Raise());
        thread.Interrupt();
        Assert.False(thread.Raise());
        Assert.False(IsInterrupted());
        thread.Lower();
        Assert.True(IsInterrupted());
        Assert.False(IsInterrupted());
    }

    [Fact]
    public void An_interrupt_that_came_before_waits_for_the_end_of_what_is_protected()
    {
        var thread = new CellExecution.CellThread();
        thread.Interrupt();
        Assert.True(thread.Raise());
        Assert.False(IsInterrupted());
        thread.Lower();
        Assert.True(IsInterrupted());
    }

    [Fact]
    public void A_thread_that_has_left_is_not_interrupted()
    {
        var thread = new CellExecution.CellThread();
        thread.Interrupt();
        thread.Leave();
        Assert.False(IsInterrupted());
        thread.Interrupt();
        Assert.False(IsInterrupted());
    }

    [Fact]
    public async Task What_is_protected_is_whole_when_the_cell_has_stopped()
    {
        var isWhole = false;
        var end = await RunAsync(() =>
        {
            using (CellExecution.Protect())
            {
                stop.Cancel();
                using (CellExecution.Protect())
                    Thread.Sleep(50);
                Thread.Sleep(50);
                isWhole = true;
            }
            Thread.Sleep(Timeout.Infinite);
        });
        Assert.Equal((CellEnd.Stopped, true), (end, isWhole));
    }

    [Fact]
    public async Task A_thread_carries_no_interrupt_out_of_the_cell()
    {
        var isIn = new TaskCompletionSource<SynchronizationContext>();
        var isInterrupted = new TaskCompletionSource<bool>();
        var run = new CellExecution(strays.Add).RunAsync(() =>
        {
            isIn.SetResult(SynchronizationContext.Current!);
            return new TaskCompletionSource().Task;
        }, stop.Token);
        var posted = new TaskCompletionSource();
        (await isIn.Task).Post(_ =>
        {
            // What runs here is on a pool thread, which is handed on to others; it never waits, so the interrupt stays with it.
            posted.SetResult();
            while (!stop.IsCancellationRequested)
                Thread.SpinWait(100);
            for (var end = Environment.TickCount64 + 50; Environment.TickCount64 < end;)
                Thread.SpinWait(100);
            var thread = Thread.CurrentThread;
            ThreadPool.UnsafeQueueUserWorkItem<object?>(_ => isInterrupted.SetResult(Thread.CurrentThread == thread && IsInterrupted()), null, preferLocal: true);
        }, null);
        await posted.Task;
        stop.Cancel();
        Assert.Equal(CellEnd.Stopped, await run.WaitAsync(patience));
        Assert.False(await isInterrupted.Task.WaitAsync(patience));
    }

    [Fact]
    public async Task A_cell_that_is_to_stop_before_it_has_begun_does_not_begin()
    {
        var hasBegun = false;
        stop.Cancel();
        Assert.Equal(CellEnd.Stopped, await RunAsync(() =>
        {
            hasBegun = true;
            Thread.Sleep(Timeout.Infinite);
        }));
        Assert.True(!hasBegun || strays.Count == 0);
    }

    [Fact]
    public async Task Nothing_comes_back_into_a_cell_that_was_stopped()
    {
        var gate = new TaskCompletionSource();
        var isBack = false;
        var run = new CellExecution(strays.Add).RunAsync(async () =>
        {
            await gate.Task;
            isBack = true;
        }, stop.Token);
        stop.Cancel();
        Assert.Equal(CellEnd.Stopped, await run.WaitAsync(patience));
        gate.SetResult();
        await Task.Delay(20);
        Assert.False(isBack);
    }

    [Fact]
    public async Task What_nobody_awaits_is_told_unless_the_cell_is_to_stop()
    {
        static async void Stray(Exception error)
        {
            await Task.CompletedTask;
            throw error;
        }
        var told = new TaskCompletionSource<Exception>();
        var thrown = new Exception("stray");
        var end = await new CellExecution(told.SetResult).RunAsync(() =>
        {
            Stray(thrown);
            return told.Task;
        }, stop.Token).WaitAsync(patience);
        Assert.Equal((CellEnd.Ran, thrown), (end, await told.Task));
        end = await RunAsync(() =>
        {
            stop.Cancel();
            try
            {
                Thread.Sleep(Timeout.Infinite);
            }
            catch (ThreadInterruptedException)
            {
                Stray(new Exception("late"));
            }
        });
        Assert.Equal(CellEnd.Stopped, end);
        Assert.Empty(strays);
    }

    private Task<CellEnd> RunAsync(Action body) => new CellExecution(strays.Add).RunAsync(() =>
    {
        body();
        return Task.CompletedTask;
    }, stop.Token).WaitAsync(patience);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsInterrupted()
    {
        try
        {
            Thread.Sleep(0);
            return false;
        }
        catch (ThreadInterruptedException)
        {
            return true;
        }
    }
}
