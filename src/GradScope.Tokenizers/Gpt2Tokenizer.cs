using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace GradScope;

/// <summary>
/// GPT-2's tokenizer (Radford et al. 2019): a text is split into words, a word into its UTF-8 bytes, and pairs are merged in the order
/// in which they were learnt. The vocabulary files decide; any byte-level vocabulary of the same form will do.
/// </summary>
public sealed partial class Gpt2Tokenizer
{
    private const string EndOfText = "<|endoftext|>";

    private readonly BpeTokenizer tokenizer;

    private Gpt2Tokenizer(Dictionary<string, int> vocabulary, IEnumerable<string> merges)
    {
        var special = vocabulary.TryGetValue(EndOfText, out var id) ? new Dictionary<string, int> { [EndOfText] = id } : null;
        (VocabSize, EndOfTextId) = (vocabulary.Count, special is null ? null : id);
        tokenizer = BpeTokenizer.Create(new BpeOptions(vocabulary)
        {
            Merges = merges,
            ByteLevel = true,
            SpecialTokens = special,
            PreTokenizer = new RegexPreTokenizer(Words(), special),
        });
    }

    /// <summary>How many tokens there are; ids are 0 to one less. GPT-2's are 50,257.</summary>
    public int VocabSize { get; }

    /// <summary>The id of &lt;|endoftext|&gt;, which stands between documents; null for a vocabulary without it.</summary>
    public int? EndOfTextId { get; }

    /// <summary>Reads vocab.json and merges.txt from a folder.</summary>
    /// <inheritdoc cref="Load(string, string)" path="/exception"/>
    public static Gpt2Tokenizer Load(string folder) => Load(Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt"));

    /// <summary>Reads the two vocabulary files.</summary>
    /// <param name="vocabulary">A JSON object of tokens and their ids, 0 and on (vocab.json).</param>
    /// <param name="merges">The pairs in the order in which they are merged, one a line (merges.txt).</param>
    /// <exception cref="FileNotFoundException">A file is not there.</exception>
    /// <exception cref="InvalidDataException">A file is not as said; the message names the file, the place and the remedy.</exception>
    public static Gpt2Tokenizer Load(string vocabulary, string merges)
    {
        var tokens = ReadVocabulary(Existing(vocabulary));
        return new(tokens, ReadMerges(Existing(merges), tokens));
    }

    /// <summary>The ids of a text; &lt;|endoftext|&gt; in it becomes that one token.</summary>
    /// <exception cref="ArgumentException">The text has a character whose bytes are not in the vocabulary, or half a surrogate pair.</exception>
    public int[] Encode(string text)
    {
        int[] tokens = [.. tokenizer.EncodeToIds(text)];
        return Decode(tokens) == text ? tokens : throw new ArgumentException(WhatIsLost(text), nameof(text));
    }

    /// <summary>The text of tokens. A character whose bytes are only partly there becomes U+FFFD.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(params ReadOnlySpan<int> tokens)
    {
        foreach (var token in tokens)
        {
            if ((uint)token >= (uint)VocabSize)
            {
                throw new ArgumentOutOfRangeException(nameof(tokens), $"Gpt2Tokenizer: id {token} is outside the vocabulary, which is 0 to {VocabSize - 1}; was the model trained with this vocabulary?");
            }
        }

        return tokenizer.Decode(tokens.ToArray()) ?? "";
    }

    /// <summary>A text as its tokens' texts, in order: what figures write at positions.</summary>
    /// <inheritdoc cref="Encode" path="/exception"/>
    public string[] Split(string text) => [.. Encode(text).Select(token => Decode(token))];

    /// <summary>GPT-2's words: contractions, letters, numbers and other signs, each with a blank before it, and blanks.</summary>
    [GeneratedRegex(@"'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    private static string Existing(string path) => File.Exists(path)
        ? path
        : throw new FileNotFoundException($"Gpt2Tokenizer: there is no file {Path.GetFullPath(path)}; GPT-2's vocabulary is vocab.json and merges.txt, from the model's page.", path);

    private static Dictionary<string, int> ReadVocabulary(string path)
    {
        Dictionary<string, int> tokens;
        try
        {
            using var stream = File.OpenRead(path);
            tokens = JsonSerializer.Deserialize<Dictionary<string, int>>(stream, new JsonSerializerOptions { AllowDuplicateProperties = false }) ?? [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Refused(path, $"it is not a JSON object of tokens and ids ({e.Message.TrimEnd('.')})", e);
        }

        var used = new string?[tokens.Count];
        foreach (var (token, id) in tokens)
        {
            if ((uint)id >= (uint)used.Length || used[id] is not null)
            {
                throw Refused(path, $"the token “{token}” has id {id}; the ids of {used.Length} tokens are 0 to {used.Length - 1}, each once");
            }

            used[id] = token;
        }

        return tokens.Count > 0 ? tokens : throw Refused(path, "it has no tokens");
    }

    private static List<string> ReadMerges(string path, Dictionary<string, int> tokens)
    {
        List<string> merges = [];
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            if (line.Length == 0 || (number == 1 && line.StartsWith("#version", StringComparison.Ordinal)))
            {
                continue;
            }

            if (line.Split(' ') is not [{ Length: > 0 } left, { Length: > 0 } right])
            {
                throw Refused(path, $"line {number} is “{line}”, not two parts with a blank between them");
            }

            if (((string[])[left, right, left + right]).FirstOrDefault(part => !tokens.ContainsKey(part)) is { } missing)
            {
                throw Refused(path, $"line {number} merges “{left}” and “{right}”, but “{missing}” is not in the vocabulary");
            }

            merges.Add(line);
        }

        return merges;
    }

    private static InvalidDataException Refused(string path, string what, Exception? cause = null) =>
        new($"Gpt2Tokenizer: {path}: {what}. Download vocab.json and merges.txt of one model again.", cause);

    private string WhatIsLost(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (!Rune.TryGetRuneAt(text, i, out var rune))
            {
                return $"Gpt2Tokenizer: the text has half a surrogate pair at place {i}; it is no Unicode text.";
            }

            var character = rune.ToString();
            if (Decode([.. tokenizer.EncodeToIds(character)]) != character)
            {
                return $"Gpt2Tokenizer: '{character}' at place {i} has bytes that are not in the vocabulary of {VocabSize} tokens; leave it out, or take a vocabulary with all 256 bytes.";
            }

            i += rune.Utf16SequenceLength;
        }

        return "Gpt2Tokenizer: the text does not come back from its tokens; the vocabulary contradicts its merges.";
    }
}
