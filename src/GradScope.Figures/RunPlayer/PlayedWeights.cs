using System.Globalization;

namespace GradScope.Figures;

/// <summary>The parameters' numbers in those pictures of a run that have them: which pictures are kept, and how fine the maps are.</summary>
internal sealed class PlayedWeights
{
    private const int MostNumbers = 150_000, MostSide = 32, FewestSide = 4;

    private readonly Run run;
    private readonly int side, every;

    private PlayedWeights(Run run, IReadOnlyList<PlayedFrame> frames)
    {
        (this.run, side) = (run, MostSide);
        while (side > FewestSide && NumbersOf(frames[^1]) * Math.Min(2, frames.Count) > MostNumbers) side /= 2;
        var room = Math.Max(1, MostNumbers / NumbersOf(frames[^1]));
        every = (frames.Count + room - 1) / room;
        Frames = [.. frames.Where((_, i) => (frames.Count - 1 - i) % every == 0)];
    }

    /// <summary>The pictures that are kept, the last one always.</summary>
    public IReadOnlyList<PlayedFrame> Frames { get; }

    /// <summary>What a reader is told about them.</summary>
    public string Note
    {
        get
        {
            var of = every > 1 ? $"every {Numbers.Ordinal(every)} picture and the last" : "each picture";
            var isThinned = Enumerable.Range(0, run.ParameterNames.Length).Any(p => Of(Frames[^1], p).Value.IsThinned);
            return string.Create(CultureInfo.InvariantCulture, $"A parameter's numbers and their gradients are kept of {of}{(isThinned ? $", in at most {side} × {2 * side} cells: of a larger one each shows the number of largest magnitude of its block" : "")}.");
        }
    }

    /// <summary>The weights of pictures that have them; null where none has.</summary>
    public static PlayedWeights? Of(Run run, IReadOnlyList<PlayedFrame> frames)
    {
        IReadOnlyList<PlayedFrame> whole = [.. frames.Where(f => run.ParameterNames.All(name => f.Frame.Tape.Find(name)?.Value is not null))];
        return whole.Count == 0 || run.ParameterNames.IsEmpty ? null : new(run, whole);
    }

    /// <summary>What a parameter's maps are headed with.</summary>
    public string TitleOf(PlayedFrame frame, int parameter) => string.Create(CultureInfo.InvariantCulture, $"{GradientFlowFigure.WithoutWeight(run.ParameterNames[parameter])} at step {frame.Step}");

    /// <summary>A parameter's numbers as cells, and their gradients where there are some.</summary>
    public (Cells Value, Cells? Grad) Of(PlayedFrame frame, int parameter)
    {
        var node = frame.Frame.Tape[run.ParameterNames[parameter]];
        return (Thin(node.Value!), node.Grad is { } grad ? Thin(grad) : null);
    }

    /// <summary>The tokens at the rows of an embedding and the columns of an unembedding.</summary>
    public (Side? Down, Side? Across) Sides(int parameter, Cells cells)
    {
        IReadOnlyList<string> tokens = [.. Frames[0].Frame.Vocabulary.Select(TokenText.Show)];
        return run.ParameterNames[parameter] switch
        {
            "embed.weight" when cells.Rows == tokens.Count => (new("token", tokens), null),
            "unembed.weight" when cells.Columns == tokens.Count => (null, new("token", tokens)),
            _ => (null, null),
        };
    }

    private int NumbersOf(PlayedFrame frame) => 2 * Enumerable.Range(0, run.ParameterNames.Length).Sum(p => Of(frame, p).Value.Values.Length);

    private Cells Thin(Tensor tensor) => Cells.Of(tensor).Thin(side, 2 * side);
}
