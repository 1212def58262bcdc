namespace GradScope.Figures;

/// <summary>The maps of a figure that a script reads, each once however often it is drawn.</summary>
internal sealed class DrawnMaps<TKey>(string kind = "maps")
    where TKey : notnull
{
    private readonly Payload payload = new(kind);
    private readonly Dictionary<TKey, int> numbers = [];

    /// <summary>What the script reads; null where no map is drawn.</summary>
    public Payload? Payload => numbers.Count > 0 ? payload : null;

    /// <summary>The number of a map, added when it is asked for first.</summary>
    public int Of(TKey key, Func<Payload, int> add) => numbers.TryGetValue(key, out var number) ? number : numbers[key] = add(payload);
}
