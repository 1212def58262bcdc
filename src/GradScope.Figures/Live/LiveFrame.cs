namespace GradScope.Figures;

/// <summary>A training at one moment, as a live view shows it.</summary>
/// <param name="Run">The training so far.</param>
/// <param name="Probe">The probe under the present weights; null where nothing that is shown needs it.</param>
/// <param name="Progress">How far it is.</param>
/// <param name="Parts">What is shown.</param>
internal sealed record LiveFrame(Run Run, Frame? Probe, LiveProgress Progress, LiveParts Parts);

/// <summary>How far a training is.</summary>
/// <param name="Step">Steps made, those before this view included.</param>
/// <param name="Done">Steps made since the view was opened.</param>
/// <param name="Steps">Steps to make from there; null where nobody said how many.</param>
/// <param name="Elapsed">Since the view was opened.</param>
internal sealed record LiveProgress(int Step, int Done, int? Steps, TimeSpan Elapsed)
{
    /// <summary>Steps a second; null before the first.</summary>
    public double? Rate => Done > 0 && Elapsed > TimeSpan.Zero ? Done / Elapsed.TotalSeconds : null;

    /// <summary>0 to 1; null where nobody said how many steps.</summary>
    public double? Share => Steps is { } steps ? Math.Clamp((double)Done / steps, 0, 1) : null;

    /// <summary>"step 240 of 500 · 131 steps/s · 2 s left".</summary>
    public override string ToString()
    {
        var text = $"step {Numbers.Count(Step)}" + (Steps is { } steps ? $" of {Numbers.Count(Step - Done + steps)}" : "");
        if (Rate is not { } rate) return text;

        text += $" · {Numbers.Short(rate)} steps/s";
        return Steps is { } all ? $"{text} · {Time((all - Done) / rate)} left" : text;
    }

    private static string Time(double seconds) => seconds switch
    {
        < 60 => $"{Numbers.Count((int)Math.Ceiling(seconds))} s",
        < 3600 => $"{(int)(seconds / 60)} min {(int)(seconds % 60)} s",
        _ => $"{Numbers.Count((int)Math.Min(seconds / 3600, 1e6))} h {(int)(seconds / 60 % 60)} min",
    };
}
