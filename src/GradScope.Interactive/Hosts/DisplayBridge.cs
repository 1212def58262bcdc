namespace GradScope.Interactive;

/// <summary>What a live view needs of a notebook host.</summary>
public interface IDisplayBridge
{
    /// <summary>Shows a value in the output of the cell that runs now.</summary>
    /// <returns>The output, to be updated in place; null where no cell runs or nothing can be shown.</returns>
    ILiveOutput? Show(object value);
}

/// <summary>An output that shows another value when told.</summary>
public interface ILiveOutput
{
    /// <summary>Replaces what is shown. It has no effect after the cell has ended.</summary>
    void Update(object value);
}

/// <summary>The bridge to the host that GradScope runs in.</summary>
public static class DisplayBridge
{
    /// <summary>The bridge in use: a host's own, once it has set one; else to .NET Interactive where that is loaded; else to nothing.</summary>
    public static IDisplayBridge Current { get; set; } = new DotNetInteractiveBridge();
}
