using System.Collections.Immutable;
using System.Globalization;

namespace GradScope;

/// <summary>
/// Random tokens that repeat: a block of random tokens, again and again to the end. What comes for the second time can be told by
/// looking back for the last time this token stood and taking what followed it, which is how induction heads form (Olsson et al.
/// 2022; TransformerLens's demo). A block of one fixed length can also be told by position alone: only where lengths vary is
/// there no way but induction.
/// </summary>
public sealed class RepeatedTokens : TrainingTask
{
    private const ulong ValidationSeed = 0x5EED;

    private readonly int length;
    private readonly int shortest;
    private readonly int longest;

    /// <param name="vocabSize">Different tokens, 2 or more.</param>
    /// <param name="length">Positions of an example, 4 or more.</param>
    /// <param name="shortestBlock">The fewest tokens in a block; half of the length unless given, so that every block has that length.</param>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public RepeatedTokens(int vocabSize = 64, int length = 32, int? shortestBlock = null)
    {
        if (vocabSize < 2 || length < 4)
        {
            throw new ArgumentException($"RepeatedTokens: vocabSize is {vocabSize} and length {length}; give at least 2 tokens and 4 positions.");
        }

        (this.length, longest) = (length, length / 2);
        shortest = shortestBlock ?? longest;
        if (shortest < 1 || shortest > longest)
        {
            throw new ArgumentException($"RepeatedTokens: shortestBlock is {shortest}; it must be 1 to {longest}, half of the length, so that each block comes at least twice.");
        }

        Vocabulary = [.. Enumerable.Range(0, vocabSize).Select(i => i.ToString(CultureInfo.InvariantCulture))];
        var (lengths, mean) = (longest - shortest + 1, (longest + shortest) / 2.0);
        Baselines =
        [
            new("uniform", Math.Log(vocabSize)),
            new("floor", (Math.Log(lengths) + (mean - 1) * Math.Log(vocabSize)) / (length - 1), IsFloor: true),
        ];
    }

    /// <inheritdoc/>
    public override string Name => "repeated tokens";

    /// <inheritdoc/>
    public override ImmutableArray<string> Vocabulary { get; }

    /// <summary>
    /// Uniform, and the least loss that any model can reach: the block's tokens after the first, ln V each, and which of the n lengths
    /// the block has, ln n, over all targets. (That a random block happens to repeat within itself is left out: at 64 tokens it takes
    /// less than 10⁻⁶ off.)
    /// </summary>
    public override ImmutableArray<Baseline> Baselines { get; }

    /// <inheritdoc/>
    public override int ValidationCount => 256;

    /// <inheritdoc/>
    public override string DefaultProbe
    {
        get
        {
            var (tokens, targets) = (new int[length], new int[length]);
            Validation(0, tokens, targets);
            return string.Join(' ', tokens);
        }
    }

    /// <inheritdoc/>
    public override int SequenceLength(int contextLength) => length <= contextLength
        ? length
        : throw new ArgumentException($"RepeatedTokens: an example has {length} positions, but the model's ContextLength is {contextLength}; build it with contextLength: {length}.");

    /// <inheritdoc/>
    public override void Draw(RandomStream random, Span<int> tokens, Span<int> targets)
    {
        var block = shortest + random.Next(longest - shortest + 1);
        for (var i = 0; i < tokens.Length; i++)
        {
            tokens[i] = i < block ? random.Next(VocabSize) : tokens[i - block];
        }

        AskForNext(tokens, targets);
    }

    /// <inheritdoc/>
    public override void Validation(int index, Span<int> tokens, Span<int> targets) =>
        Draw(new RandomStream(RandomStream.Mix(ValidationSeed + (ulong)index)), tokens, targets);

    /// <summary>Token ids between blanks, such as "3 1 4 3 1 4".</summary>
    /// <exception cref="ArgumentException">A word is not a token, or there are too few or too many.</exception>
    public override (int[] Tokens, int[] Targets) Encode(string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 2 || words.Length > length)
        {
            throw new ArgumentException($"RepeatedTokens: “{text}” has {words.Length} tokens; give 2 to {length}, with blanks between them.");
        }

        var tokens = Array.ConvertAll(words, word => Vocabulary.IndexOf(word));
        if (tokens.AsSpan().IndexOf(-1) is >= 0 and var wrong)
        {
            throw new ArgumentException($"RepeatedTokens: “{words[wrong]}” is not a token; they are 0 to {VocabSize - 1}, with blanks between them.");
        }

        var targets = new int[tokens.Length];
        AskForNext(tokens, targets);
        return (tokens, targets);
    }

    private static void AskForNext(ReadOnlySpan<int> tokens, Span<int> targets)
    {
        tokens[1..].CopyTo(targets);
        targets[^1] = NoTarget;
    }
}
