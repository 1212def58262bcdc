using System.Collections.Immutable;
using System.Globalization;

namespace GradScope;

/// <summary>
/// a b = c, where c = (a + b) mod p: the loss asks for c alone. Half of the p² pairs are held out; a model fits the others first, and
/// much later, if weights decay, adds in general ("grokking", Power et al. 2022; Nanda et al. 2023).
/// </summary>
public sealed class ModularAddition : TrainingTask
{
    private const int Length = 3;

    private readonly int modulus;
    private readonly int[] training;
    private readonly int[] validation;

    /// <param name="modulus">p, 2 or more.</param>
    /// <param name="seed">The seed of which half is trained on.</param>
    /// <exception cref="ArgumentException">The modulus is less than 2.</exception>
    public ModularAddition(int modulus = 53, ulong seed = 1)
    {
        if (modulus < 2)
        {
            throw new ArgumentException($"ModularAddition: the modulus is {modulus}; give 2 or more, such as 53.");
        }

        this.modulus = modulus;
        int[] pairs = [.. Enumerable.Range(0, modulus * modulus).OrderBy(pair => RandomStream.Mix(seed * 0x9E3779B97F4A7C15 + (ulong)pair))];
        (training, validation) = (pairs[..(pairs.Length / 2)], pairs[(pairs.Length / 2)..]);
        Vocabulary = [.. Enumerable.Range(0, modulus).Select(i => i.ToString(CultureInfo.InvariantCulture)), "="];
    }

    /// <inheritdoc/>
    public override string Name => $"addition modulo {modulus}";

    /// <inheritdoc/>
    public override ImmutableArray<string> Vocabulary { get; }

    /// <summary>Uniform over the p results.</summary>
    public override ImmutableArray<Baseline> Baselines => [new("uniform", Math.Log(modulus))];

    /// <summary>Pairs trained on.</summary>
    public int TrainingCount => training.Length;

    /// <inheritdoc/>
    public override int ValidationCount => validation.Length;

    /// <inheritdoc/>
    public override string DefaultProbe => $"{validation[0] / modulus} {validation[0] % modulus}";

    /// <inheritdoc/>
    public override int SequenceLength(int contextLength) => Length <= contextLength
        ? Length
        : throw new ArgumentException($"ModularAddition: a b = takes {Length} positions, but the model's ContextLength is {contextLength}; build it with contextLength: {Length}.");

    /// <inheritdoc/>
    public override void Draw(RandomStream random, Span<int> tokens, Span<int> targets) =>
        Fill(training[random.Next(training.Length)], tokens, targets);

    /// <inheritdoc/>
    public override void Validation(int index, Span<int> tokens, Span<int> targets) => Fill(validation[index], tokens, targets);

    /// <summary>Two numbers below p, such as "12 50".</summary>
    /// <exception cref="ArgumentException">The text is not two of them.</exception>
    public override (int[] Tokens, int[] Targets) Encode(string text)
    {
        var numbers = Array.ConvertAll(text.Split(' ', StringSplitOptions.RemoveEmptyEntries), word => Vocabulary.IndexOf(word));
        if (numbers is not [var a, var b] || a < 0 || b < 0 || a == modulus || b == modulus)
        {
            throw new ArgumentException($"ModularAddition: “{text}” is not two numbers of 0 to {modulus - 1}; give a text such as “{DefaultProbe}”.");
        }

        var (tokens, targets) = (new int[Length], new int[Length]);
        Fill(a * modulus + b, tokens, targets);
        return (tokens, targets);
    }

    private void Fill(int pair, Span<int> tokens, Span<int> targets)
    {
        var (a, b) = Math.DivRem(pair, modulus);
        (tokens[0], tokens[1], tokens[2]) = (a, b, modulus);
        (targets[0], targets[1], targets[2]) = (NoTarget, NoTarget, (a + b) % modulus);
    }
}
