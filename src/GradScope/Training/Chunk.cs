namespace GradScope;

/// <summary>A stretch of a parameter: what one thread reads or updates at once, so that sums are the same for any number of threads.</summary>
internal readonly record struct Chunk(Parameter Parameter, int Index, int Start, int Length)
{
    private const int Longest = 4096;

    public int Offset => Parameter.Offset + Start;

    public Span<float> Values => Parameter.ValueBuffer.Span.Slice(Start, Length);

    public Span<float> Gradient => Parameter.GradBuffer.Span.Slice(Start, Length);

    /// <summary>All parameters, first one half of each and then the other: two threads take mostly the halves whose gradients they have summed.</summary>
    public static Chunk[] Of(ParameterStore store) =>
        [.. store.Parameters.SelectMany((p, i) => Of(p, i, 0)), .. store.Parameters.SelectMany((p, i) => Of(p, i, 1))];

    private static IEnumerable<Chunk> Of(Parameter parameter, int index, int half)
    {
        var blocks = Arena.Pad(parameter.Shape.ElementCount) / Buffer.Block;
        var middle = Math.Min((blocks + 1) / 2 * Buffer.Block, parameter.Shape.ElementCount);
        var end = half == 0 ? middle : parameter.Shape.ElementCount;
        for (var start = half == 0 ? 0 : middle; start < end; start += Longest)
        {
            yield return new(parameter, index, start, Math.Min(Longest, end - start));
        }
    }
}
