namespace GradScope.Notebooks;

/// <summary>Something that a running cell sends to whoever shows it: a notebook file, a page, a Jupyter client.</summary>
public abstract record CellOutput
{
    private CellOutput() { }

    /// <summary>Text on the console; <paramref name="Name"/> is <c>stdout</c> or <c>stderr</c>.</summary>
    public sealed record Stream(string Name, string Text) : CellOutput;

    /// <summary>A value shown on the way, which may be updated by its id.</summary>
    public sealed record Display(MimeBundle Data, string? Id) : CellOutput;

    /// <summary>A new value for every display of this id, whichever cell it stands in.</summary>
    public sealed record Update(MimeBundle Data, string Id) : CellOutput;

    /// <summary>Takes away what the cell has put out so far; with <paramref name="Wait"/> when the next output comes.</summary>
    public sealed record Clear(bool Wait) : CellOutput;

    /// <summary>The value of the cell's last expression.</summary>
    public sealed record Result(MimeBundle Data) : CellOutput;

    /// <summary>
    /// Why the cell failed. <paramref name="Line"/> counts from 1 and is where the cell itself was; null where that is
    /// not known. <paramref name="Traceback"/> is written for the cell's author: their frames, none of the host's.
    /// </summary>
    public sealed record Error(string Name, string Message, IReadOnlyList<string> Traceback, int? Line) : CellOutput;
}
