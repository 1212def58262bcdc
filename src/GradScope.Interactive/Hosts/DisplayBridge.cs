namespace GradScope.Interactive;

/// <summary>What a live view needs of whoever shows it.</summary>
public interface IDisplayBridge
{
    /// <summary>Shows a value, a <see cref="LiveView"/>, in the output of the cell that runs now.</summary>
    /// <returns>The output, to be updated in place; null where nothing can be shown.</returns>
    ILiveOutput? Show(object value);
}

/// <summary>An output that shows another value when told.</summary>
public interface ILiveOutput
{
    /// <summary>Cancelled when the cell that shows it is interrupted.</summary>
    CancellationToken Stopped => CancellationToken.None;

    /// <summary>Replaces what is shown; calls follow one another, from any thread. It has no effect after the cell has ended.</summary>
    void Update(object value);

    /// <summary>Shows the last value, also while the cell is being interrupted where the host has a way for that.</summary>
    void Finish(object value) => Update(value);
}

/// <summary>The bridge to the host that GradScope runs in.</summary>
public static class DisplayBridge
{
    /// <summary>
    /// What finds the place by itself: the running cell of .NET Interactive, else the terminal where GradScope.Terminal is referenced,
    /// else none.
    /// </summary>
    public static IDisplayBridge Automatic { get; } = new FirstThatShows(new DotNetInteractive(), new TerminalFinder());

    /// <summary>Shows nothing: for programs and tests that train without looking.</summary>
    public static IDisplayBridge None { get; } = new FirstThatShows();

    /// <summary>The bridge in use: a host sets its own, a user any; else <see cref="Automatic"/>.</summary>
    public static IDisplayBridge Current { get; set; } = Automatic;

    private sealed class FirstThatShows(params IDisplayBridge[] bridges) : IDisplayBridge
    {
        public ILiveOutput? Show(object value) => bridges.Select(bridge => bridge.Show(value)).FirstOrDefault(output => output is not null);
    }

    /// <summary>Late-bound, so that notebooks need not carry the terminal's packages.</summary>
    private sealed class TerminalFinder : IDisplayBridge
    {
        private static readonly Lazy<IDisplayBridge?> found = new(() =>
            Type.GetType("GradScope.Terminal.TerminalBridge, GradScope.Terminal") is { } type ? (IDisplayBridge?)Activator.CreateInstance(type) : null);

        public ILiveOutput? Show(object value) => found.Value?.Show(value);
    }
}
