using System.Collections.Immutable;

namespace GradScope;

/// <summary>A long text, character by character: windows of it, each position asking for the next character. The last tenth is held out.</summary>
public sealed class CharText : TrainingTask
{
    private readonly int[] training;
    private readonly int[] validation;
    private readonly CharTokenizer tokenizer;
    private int window;

    /// <param name="text">At least 20 characters.</param>
    /// <exception cref="ArgumentException">The text is too short.</exception>
    public CharText(string text)
    {
        if (text.Length < 20)
        {
            throw new ArgumentException($"CharText: the text has {text.Length} characters; give at least 20, of which nine tenths are trained on.");
        }

        tokenizer = CharTokenizer.Of(text);
        var all = tokenizer.Encode(text);
        var split = all.Length * 9 / 10;
        (training, validation) = (all[..split], all[split..]);
        Baselines = [new("uniform", Math.Log(VocabSize)), new("bigram counts", BigramModel.Loss(Count(training), Count(validation)))];
    }

    /// <inheritdoc/>
    public override string Name => "text";

    /// <inheritdoc/>
    public override ImmutableArray<string> Vocabulary => tokenizer.Vocabulary;

    /// <summary>Uniform, and the bigram model: pairs counted on the first nine tenths and scored on the last.</summary>
    public override ImmutableArray<Baseline> Baselines { get; }

    /// <summary>How many windows fit into the held-out tenth; known once <see cref="SequenceLength"/> was asked for.</summary>
    public override int ValidationCount => window == 0 ? 0 : (validation.Length - 1) / window;

    /// <inheritdoc/>
    public override string DefaultProbe => tokenizer.Decode(validation.AsSpan(0, Math.Min(16, validation.Length)));

    /// <summary>Reads a UTF-8 text file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ArgumentException">The text is too short.</exception>
    public static CharText Load(string path) => File.Exists(path)
        ? new(File.ReadAllText(path))
        : throw new FileNotFoundException($"CharText: there is no file {Path.GetFullPath(path)}; give the path of a text file.", path);

    /// <inheritdoc/>
    public override int SequenceLength(int contextLength) => window = contextLength < validation.Length
        ? contextLength
        : throw new ArgumentException($"CharText: the held-out tenth has {validation.Length} characters, too few for a window of {contextLength} and its next; take a longer text or a shorter context.");

    /// <inheritdoc/>
    public override void Draw(RandomStream random, Span<int> tokens, Span<int> targets) =>
        Fill(training, random.Next(training.Length - tokens.Length), tokens, targets);

    /// <inheritdoc/>
    public override void Validation(int index, Span<int> tokens, Span<int> targets) =>
        Fill(validation, index * tokens.Length, tokens, targets);

    /// <inheritdoc/>
    public override (int[] Tokens, int[] Targets) Encode(string text)
    {
        var tokens = tokenizer.Encode(text);
        return (tokens, [.. tokens.Skip(1), NoTarget]);
    }

    /// <summary>The text of tokens.</summary>
    public string Decode(ReadOnlySpan<int> tokens) => tokenizer.Decode(tokens);

    private static void Fill(int[] source, int start, Span<int> tokens, Span<int> targets)
    {
        source.AsSpan(start, tokens.Length).CopyTo(tokens);
        source.AsSpan(start + 1, targets.Length).CopyTo(targets);
    }

    private int[,] Count(int[] tokens)
    {
        var counts = new int[VocabSize, VocabSize];
        for (var i = 0; i + 1 < tokens.Length; i++)
        {
            counts[tokens[i], tokens[i + 1]]++;
        }

        return counts;
    }
}
