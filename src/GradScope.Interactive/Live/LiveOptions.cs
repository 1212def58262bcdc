using GradScope.Interactive;

namespace GradScope;

/// <summary>What a live view shows, how often and where; change one with <c>with</c>.</summary>
public sealed record LiveOptions
{
    /// <summary>Everything, on the trainer's own probe, about 8 times a second.</summary>
    public static LiveOptions Default { get; } = new();

    /// <summary>What to watch beside the progress.</summary>
    public LiveParts Show { get; init; } = LiveParts.All;

    /// <summary>The input whose attention and gradient flow are shown; the trainer's own probe unless given.</summary>
    public string? Probe { get; init; }

    /// <summary>At the most how many updates a second, above 0 and up to 10; fewer where drawing would take a tenth of the time.</summary>
    public double UpdatesPerSecond
    {
        get;
        init => field = value is > 0 and <= UpdateBudget.MostUpdates
            ? value
            : throw new ArgumentOutOfRangeException(nameof(UpdatesPerSecond), FormattableString.Invariant($"LiveOptions: UpdatesPerSecond is {value}; it must be above 0 and at the most {UpdateBudget.MostUpdates}, since notebooks drop what comes faster."));
    } = 8;

    /// <summary>Theme and title.</summary>
    public FigureOptions? Figure { get; init; }

    /// <summary>Where to show it; found by itself (<see cref="DisplayBridge.Current"/>) unless given.</summary>
    public IDisplayBridge? Bridge { get; init; }

    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    internal UpdateBudget Budget { get; init; } = UpdateBudget.Shared;
}
