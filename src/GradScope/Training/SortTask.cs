using System.Collections.Immutable;

namespace GradScope;

/// <summary>
/// Six digits of 0, 1 and 2, then the same sorted: the loss asks for the sorted half only (the demo of karpathy/minGPT). Of the
/// 729 inputs a quarter, chosen by hash, is held out.
/// </summary>
public sealed class SortTask : TrainingTask
{
    private const int Digits = 6;
    private const int Kinds = 3;
    private const int Length = 2 * Digits - 1;

    private readonly int[] training;
    private readonly int[] validation;

    /// <summary>The task; it has no settings.</summary>
    public SortTask()
    {
        var all = Enumerable.Range(0, (int)Math.Pow(Kinds, Digits)).ToLookup(i => RandomStream.Mix((ulong)i + 1) % 4 == 0);
        (training, validation) = ([.. all[false]], [.. all[true]]);
    }

    /// <inheritdoc/>
    public override string Name => "sort";

    /// <inheritdoc/>
    public override ImmutableArray<string> Vocabulary { get; } = ["0", "1", "2"];

    /// <summary>Uniform over the three digits.</summary>
    public override ImmutableArray<Baseline> Baselines { get; } = [new("uniform", Math.Log(Kinds))];

    /// <inheritdoc/>
    public override int ValidationCount => validation.Length;

    /// <inheritdoc/>
    public override string DefaultProbe => "201120";

    /// <inheritdoc/>
    public override int SequenceLength(int contextLength) => Length <= contextLength
        ? Length
        : throw new ArgumentException($"SortTask: {Digits} digits and their sorted ones take {Length} positions, but the model's ContextLength is {contextLength}; build it with contextLength: {Length}.");

    /// <inheritdoc/>
    public override void Draw(RandomStream random, Span<int> tokens, Span<int> targets) =>
        Fill(training[random.Next(training.Length)], tokens, targets);

    /// <inheritdoc/>
    public override void Validation(int index, Span<int> tokens, Span<int> targets) => Fill(validation[index], tokens, targets);

    /// <summary>Six digits as an example: they, and all but the last of the sorted ones.</summary>
    /// <exception cref="ArgumentException">The text is not six digits of 0, 1 and 2.</exception>
    public override (int[] Tokens, int[] Targets) Encode(string text)
    {
        if (text.Length != Digits || text.Any(c => c is < '0' or >= (char)('0' + Kinds)))
        {
            throw new ArgumentException($"SortTask: “{text}” is not {Digits} digits of 0, 1 and 2; give a text such as “{DefaultProbe}”.");
        }

        var (tokens, targets) = (new int[Length], new int[Length]);
        Fill(text.Aggregate(0, (code, c) => Kinds * code + c - '0'), tokens, targets);
        return (tokens, targets);
    }

    /// <summary>The input whose digits, read as a number of base 3, are <paramref name="code"/>.</summary>
    private static void Fill(int code, Span<int> tokens, Span<int> targets)
    {
        for (var i = Digits - 1; i >= 0; i--, code /= Kinds)
        {
            tokens[i] = code % Kinds;
        }

        targets.Fill(NoTarget);
        var sorted = targets[(Digits - 1)..];
        tokens[..Digits].CopyTo(sorted);
        sorted.Sort();
        sorted[..^1].CopyTo(tokens[Digits..]);
    }
}
