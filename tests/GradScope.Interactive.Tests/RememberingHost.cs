namespace GradScope.Interactive.Tests;

/// <summary>A host that keeps what it was given to show.</summary>
internal sealed class RememberingHost : IDisplayBridge
{
    private readonly CancellationTokenSource stop = new();

    public List<Output> Outputs { get; } = [];

    /// <summary>The one output.</summary>
    public Output Only => Assert.Single(Outputs);

    /// <summary>Called at each update, with how many there were.</summary>
    public Action<int> OnUpdate { get; set; } = _ => { };

    public ILiveOutput? Show(object value)
    {
        Outputs.Add(new(this, (LiveView)value));
        return Outputs[^1];
    }

    /// <summary>As a user interrupts the cell.</summary>
    public void Interrupt() => stop.Cancel();

    public sealed class Output(RememberingHost host, LiveView first) : ILiveOutput
    {
        private volatile LiveView[] views = [first];

        public IReadOnlyList<LiveView> Views => views;

        public LiveView Last => views[^1];

        public CancellationToken Stopped => host.stop.Token;

        public void Update(object value)
        {
            views = [.. views, (LiveView)value];
            host.OnUpdate(views.Length - 1);
        }
    }
}
