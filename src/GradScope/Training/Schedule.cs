namespace GradScope;

/// <summary>How the learning rate changes over steps.</summary>
public abstract record Schedule
{
    /// <summary>The learning rate at a step, from 1, where the optimiser's own is <paramref name="peak"/>.</summary>
    public abstract float At(int step, float peak);
}

/// <summary>The same learning rate at every step.</summary>
public sealed record ConstantSchedule : Schedule
{
    /// <inheritdoc/>
    public override float At(int step, float peak) => peak;
}

/// <summary>
/// Linear from 0 over the warm-up steps, then half a cosine down to <paramref name="Minimum"/> at step <paramref name="Steps"/>
/// (Loshchilov and Hutter 2017).
/// </summary>
/// <param name="WarmUp">Steps until the peak.</param>
/// <param name="Steps">The last step, from which on the minimum stays.</param>
/// <param name="Minimum">The learning rate at the end.</param>
public sealed record WarmUpCosine(int WarmUp, int Steps, float Minimum) : Schedule
{
    /// <inheritdoc/>
    public override float At(int step, float peak)
    {
        if (step < WarmUp)
        {
            return peak * step / WarmUp;
        }

        var done = Math.Clamp((step - WarmUp) / Math.Max(1.0, Steps - WarmUp), 0, 1);
        return (float)(Minimum + 0.5 * (1 + Math.Cos(Math.PI * done)) * (peak - Minimum));
    }
}
