namespace GradScope.Notebooks;

/// <summary>Jupyter counts characters as Unicode does, C# counts an astral one as two.</summary>
internal static class CodePoints
{
    /// <summary>The index in <paramref name="text"/> after <paramref name="count"/> code points; its end where it has fewer.</summary>
    public static int ToIndex(string text, int count)
    {
        var index = 0;
        for (; count > 0 && index < text.Length; count--)
            index += char.IsSurrogatePair(text, index) ? 2 : 1;
        return index;
    }

    /// <summary>How many code points stand before <paramref name="index"/>.</summary>
    public static int ToCount(string text, int index)
    {
        var count = 0;
        for (var i = 0; i < index; count++)
            i += char.IsSurrogatePair(text, i) ? 2 : 1;
        return count;
    }
}
