using System.Collections.Immutable;

namespace GradScope;

/// <summary>One token a character, in the order given.</summary>
public sealed class CharTokenizer
{
    private readonly Dictionary<char, int> ids = [];

    /// <exception cref="ArgumentException">A character is there twice, or none at all.</exception>
    public CharTokenizer(string characters)
    {
        if (characters.Length == 0)
        {
            throw new ArgumentException("CharTokenizer: there are no characters; give the text's alphabet, such as \".abc\".");
        }

        foreach (var character in characters)
        {
            if (!ids.TryAdd(character, ids.Count))
            {
                throw new ArgumentException($"CharTokenizer: '{character}' is there twice.");
            }
        }

        Vocabulary = [.. characters.Select(c => c.ToString())];
    }

    /// <summary>The tokens as text, by id.</summary>
    public ImmutableArray<string> Vocabulary { get; }

    /// <summary>The alphabet of a text, sorted by code.</summary>
    public static CharTokenizer Of(string text) => new(string.Concat(text.Distinct().Order()));

    /// <exception cref="ArgumentException">A character is not in the vocabulary; the message names it and its place.</exception>
    public int[] Encode(string text)
    {
        var tokens = new int[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            tokens[i] = ids.TryGetValue(text[i], out var id) ? id : throw new ArgumentException($"CharTokenizer: '{text[i]}' at place {i} of “{text}” is not in the vocabulary “{string.Concat(Vocabulary)}”.");
        }

        return tokens;
    }

    internal int Id(char character) => ids[character];

    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> tokens)
    {
        var text = new char[tokens.Length];
        for (var i = 0; i < tokens.Length; i++)
        {
            text[i] = (uint)tokens[i] < (uint)Vocabulary.Length
                ? Vocabulary[tokens[i]][0]
                : throw new ArgumentOutOfRangeException(nameof(tokens), $"CharTokenizer: id {tokens[i]} is outside the vocabulary, which is 0 to {Vocabulary.Length - 1}.");
        }

        return new string(text);
    }
}
