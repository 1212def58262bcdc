namespace GradScope;

/// <summary>What a live view of a training shows below its progress.</summary>
[Flags]
public enum LiveParts
{
    /// <summary>Progress alone.</summary>
    None = 0,

    /// <summary>The loss beside its baselines, and the accuracy.</summary>
    Loss = 1,

    /// <summary>‖gradient‖ over the steps, before clipping.</summary>
    GradientNorms = 2,

    /// <summary>‖∂loss/∂x‖ along the residual stream, on the probe.</summary>
    GradientFlow = 4,

    /// <summary>Each head's attention on the probe.</summary>
    Attention = 8,

    /// <summary>Everything.</summary>
    All = Loss | GradientNorms | GradientFlow | Attention,
}
