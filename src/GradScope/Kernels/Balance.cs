namespace GradScope;

/// <summary>
/// How two threads share a job so that they end together, learned from the jobs before: other programs on the machine slow a core down by a
/// third and more, for some milliseconds to seconds.
/// </summary>
/// <param name="caller">The part of a job that is the caller's, 1/4 to 3/4; the rest is the helper's.</param>
internal readonly struct Balance(double caller)
{
    /// <summary>Of so much work of both, in clock ticks, a new ratio of their speeds is believed half.</summary>
    private static readonly double Memory = System.Diagnostics.Stopwatch.Frequency / 2000.0;

    public double Caller { get; } = caller;

    /// <summary>What is to be expected after each did some units in some time.</summary>
    public Balance After(int callerUnits, long callerTime, int helperUnits, long helperTime)
    {
        var (ofCaller, ofHelper) = ((double)callerUnits * helperTime, (double)helperUnits * callerTime);
        if (ofCaller + ofHelper == 0) return this;

        double shorter = Math.Min(callerTime, helperTime);
        var change = ofCaller / (ofCaller + ofHelper) - Caller;
        return new(Math.Clamp(Caller + shorter / (shorter + Memory) * change, 0.25, 0.75));
    }
}
