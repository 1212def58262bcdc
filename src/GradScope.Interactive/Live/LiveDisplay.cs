using System.Threading.Channels;
using GradScope.Figures;
using GradScope.Interactive;

namespace GradScope;

/// <summary>
/// One output that follows a trainer while it is open and ends as the finished training figure. The training thread only copies
/// a frame, and only when one is wanted; drawing and sending happen on another thread, so that a slow front end costs frames, not
/// steps.
/// </summary>
public sealed class LiveDisplay : IDisposable, IAsyncDisposable
{
    /// <summary>Drawing waits until this many times its own cost has passed.</summary>
    private const int CostFactor = 20;

    /// <summary>How long closing waits for a front end that does not take the last view.</summary>
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(10);

    private readonly Trainer trainer;
    private readonly LiveOptions options;
    private readonly int? steps;
    private readonly int first;
    private readonly long opened;
    private readonly ILiveOutput? output;
    private readonly Channel<Func<LiveView>> frames = Channel.CreateBounded<Func<LiveView>>(1);
    private readonly CancellationTokenSource closing = new();
    private readonly Task renderer = Task.CompletedTask;
    private volatile bool wanted = true;
    private TimeSpan capturing;
    private int closed;

    /// <param name="trainer">What is watched.</param>
    /// <param name="options">What to show.</param>
    /// <param name="steps">How many steps are to be made; null where nobody knows.</param>
    internal LiveDisplay(Trainer trainer, LiveOptions options, int? steps)
    {
        (this.trainer, this.options, this.steps, first) = (trainer, options, steps, trainer.Steps);
        CheckProbe();
        Formatters.Register();
        opened = options.Clock.GetTimestamp();
        LiveFrame start = new(trainer.Run, null, Progress(), options.Show);
        output = Open(Drawn(() => LiveView.Of(start, options.Figure)));
        if (output is not null)
        {
            trainer.Stepped += OnStepped;

            // The cell's context flows into the task, so its updates reach the cell's output.
            renderer = Task.Run(RenderAsync);
        }
    }

    /// <summary>Cancelled when the cell that shows this is interrupted: hand it to what trains.</summary>
    public CancellationToken Stopped => output?.Stopped ?? CancellationToken.None;

    /// <summary>Stops watching and shows the finished training figure; returns when it is shown, or when the front end has not taken it for 10 s.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref closed, 1) == 1 || output is null)
        {
            return;
        }

        trainer.Stepped -= OnStepped;
        var run = trainer.Run;
        await closing.CancelAsync().ConfigureAwait(false);
        frames.Writer.Complete();
        try
        {
            await FinishAsync(run).WaitAsync(patience, options.Clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It goes out when the front end takes something again.
        }
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose() => Task.Run(() => DisposeAsync().AsTask()).GetAwaiter().GetResult();

    private ILiveOutput? Open(LiveView view)
    {
        try
        {
            return (options.Bridge ?? DisplayBridge.Current).Show(view);
        }
        catch (Exception)
        {
            // A host that cannot show is no reason not to train.
            return null;
        }
    }

    private void OnStepped(Metrics measured)
    {
        if (!wanted)
        {
            return;
        }

        wanted = false;
        var start = options.Clock.GetTimestamp();
        Func<LiveView> draw;
        try
        {
            var needsProbe = (options.Show & (LiveParts.GradientFlow | LiveParts.Attention)) != 0;
            var frame = new LiveFrame(trainer.Run, needsProbe ? trainer.Look(options.Probe) : null, Progress(), options.Show);
            draw = () => LiveView.Of(frame, options.Figure);
        }
        catch (Exception exception)
        {
            draw = () => LiveView.Failure("the training", exception, isFinished: false);
        }

        capturing = options.Clock.GetElapsedTime(start);
        frames.Writer.TryWrite(draw);
    }

    private async Task RenderAsync()
    {
        var isFirst = true;
        await foreach (var draw in frames.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            var start = options.Clock.GetTimestamp();
            var view = Drawn(draw);
            var cost = CostFactor * (options.Clock.GetElapsedTime(start) + capturing);
            if (!await SendAsync(view, closing.Token).ConfigureAwait(false))
            {
                return;
            }

            // The first drawing is compiled while it runs, which says nothing about the next.
            var interval = TimeSpan.FromSeconds(1 / options.UpdatesPerSecond) - options.Clock.GetElapsedTime(start);
            await Pause(isFirst || interval > cost ? interval : cost, closing.Token).ConfigureAwait(false);
            isFirst = false;
            wanted = true;
        }
    }

    private async Task FinishAsync(Run run)
    {
        await renderer.ConfigureAwait(false);
        var view = Drawn(() => LiveView.Finished(run.ToFigure(options.Figure)), isFinished: true);
        await SendAsync(view, CancellationToken.None).ConfigureAwait(false);
    }

    private static LiveView Drawn(Func<LiveView> draw, bool isFinished = false)
    {
        try
        {
            return draw();
        }
        catch (Exception exception)
        {
            return LiveView.Failure("the training", exception, isFinished);
        }
    }

    /// <summary>Sends a view as soon as the budget allows, or lets it go where a newer one is to follow.</summary>
    /// <returns>Whether the host takes updates.</returns>
    private async Task<bool> SendAsync(LiveView view, CancellationToken stop)
    {
        while (options.Budget.Take(view.Size) is var wait && wait > TimeSpan.Zero)
        {
            await Pause(wait, stop).ConfigureAwait(false);
            if (stop.IsCancellationRequested)
            {
                return true;
            }
        }

        try
        {
            if (view.IsFinished)
            {
                output!.Finish(view);
            }
            else
            {
                output!.Update(view);
            }

            return true;
        }
        catch (Exception)
        {
            // A cell that was stopped takes nothing more; training is not to fail for that.
            return false;
        }
    }

    private async Task Pause(TimeSpan time, CancellationToken stop)
    {
        if (time > TimeSpan.Zero)
        {
            await Task.Delay(time, options.Clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private LiveProgress Progress() => new(trainer.Steps, trainer.Steps - first, steps, options.Clock.GetElapsedTime(opened));

    private void CheckProbe()
    {
        if (options.Probe is { } probe && trainer.Task.Encode(probe).Tokens.Length is var length && length > trainer.Model.Config.ContextLength)
        {
            throw new ArgumentException($"LiveOptions: the probe “{probe}” has {length} tokens, but the model's ContextLength is {trainer.Model.Config.ContextLength}; choose a shorter one.");
        }
    }
}
