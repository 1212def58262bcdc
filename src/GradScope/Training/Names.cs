using System.Collections.Immutable;

namespace GradScope;

/// <summary>
/// First names, character by character: given a name so far, which letter comes next, or the end? Token 0 is “.”, which starts and
/// ends a name; a and on follow. Nine names of ten are trained on, one is held out, chosen by a fixed seed.
/// </summary>
public sealed class Names : TrainingTask
{
    private const char End = '.';

    private readonly string[] training;
    private readonly string[] validation;
    private readonly CharTokenizer tokenizer;
    private readonly int longest;

    /// <param name="names">At least two names, none empty, without “.”.</param>
    /// <exception cref="ArgumentException">There are too few names, or one is not as said.</exception>
    public Names(IEnumerable<string> names)
    {
        var all = names.ToArray();
        for (var i = 0; i < all.Length; i++)
        {
            if (all[i].Length == 0 || all[i].Contains(End))
            {
                throw new ArgumentException($"Names: name {i + 1} is “{all[i]}”; a name has at least one letter and no “{End}”, which marks its end.");
            }
        }

        if (all.Length < 2)
        {
            throw new ArgumentException($"Names: the data set has {all.Length} names; at least 2 are needed, one to learn from and one to check with.");
        }

        tokenizer = new(End + string.Concat(all.SelectMany(name => name).Distinct().Order()));
        longest = all.Max(name => name.Length);
        Baselines = [new("uniform", Math.Log(VocabSize)), CountBigrams(all)];
        new RandomStream(1).Shuffle<string>(all);
        var held = Math.Max(1, all.Length / 10);
        (validation, training) = (all[..held], all[held..]);
    }

    /// <inheritdoc/>
    public override string Name => "names";

    /// <inheritdoc/>
    public override ImmutableArray<string> Vocabulary => tokenizer.Vocabulary;

    /// <summary>Uniform, and the bigram model: letter pairs counted over all names and scored on the same.</summary>
    public override ImmutableArray<Baseline> Baselines { get; }

    /// <inheritdoc/>
    public override int ValidationCount => validation.Length;

    /// <inheritdoc/>
    public override string DefaultProbe => validation[0];

    /// <summary>Reads names from a file, one a line.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ArgumentException">The file has too few names, or one with a “.”.</exception>
    public static Names Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"Names: there is no file {Path.GetFullPath(path)}; give the path of a text file with one name a line.", path);
        }

        return new(File.ReadLines(path).Select(line => line.Trim()).Where(line => line.Length > 0));
    }

    /// <inheritdoc/>
    public override int SequenceLength(int contextLength) => longest + 1 <= contextLength
        ? longest + 1
        : throw new ArgumentException($"Names: the longest name and its end take {longest + 1} positions, but the model's ContextLength is {contextLength}; build it with contextLength: {longest + 1}.");

    /// <inheritdoc/>
    public override void Draw(RandomStream random, Span<int> tokens, Span<int> targets) =>
        Fill(training[random.Next(training.Length)], tokens, targets);

    /// <inheritdoc/>
    public override void Validation(int index, Span<int> tokens, Span<int> targets) => Fill(validation[index], tokens, targets);

    /// <inheritdoc/>
    public override (int[] Tokens, int[] Targets) Encode(string text)
    {
        var name = tokenizer.Encode(text);
        return ([0, .. name], [.. name, 0]);
    }

    /// <summary>The text of tokens, without starts and ends.</summary>
    public string Decode(ReadOnlySpan<int> tokens) => tokenizer.Decode(tokens).Replace(End.ToString(), "");

    private void Fill(string name, Span<int> tokens, Span<int> targets)
    {
        tokens.Clear();
        targets.Fill(NoTarget);
        for (var i = 0; i < name.Length; i++)
        {
            tokens[i + 1] = targets[i] = tokenizer.Id(name[i]);
        }

        targets[name.Length] = 0;
    }

    private Baseline CountBigrams(IEnumerable<string> names)
    {
        var counts = new int[VocabSize, VocabSize];
        foreach (var name in names)
        {
            var (tokens, targets) = Encode(name);
            for (var i = 0; i < tokens.Length; i++)
            {
                counts[tokens[i], targets[i]]++;
            }
        }

        return new("bigram counts", BigramModel.Loss(counts, counts));
    }
}
