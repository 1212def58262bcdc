using System.Collections.Immutable;

namespace GradScope;

/// <summary>What a model is to learn: where examples come from, what they mean as text, and what to compare its loss with.</summary>
public abstract class TrainingTask
{
    /// <summary>Marks a position at which no token is asked for.</summary>
    public const int NoTarget = -1;

    /// <summary>The name that runs and figures show.</summary>
    public abstract string Name { get; }

    /// <summary>The tokens as text, by id.</summary>
    public abstract ImmutableArray<string> Vocabulary { get; }

    /// <summary>How many tokens there are: the model's vocabSize.</summary>
    public int VocabSize => Vocabulary.Length;

    /// <summary>Losses to compare with, computed from the data.</summary>
    public abstract ImmutableArray<Baseline> Baselines { get; }

    /// <summary>How many examples are held out; 0 where the task makes as many as it likes.</summary>
    public abstract int ValidationCount { get; }

    /// <summary>The input looked at where the trainer's user chose none.</summary>
    public abstract string DefaultProbe { get; }

    /// <summary>How many positions an example has under a model of that context length.</summary>
    /// <exception cref="ArgumentException">The task needs a longer context.</exception>
    public abstract int SequenceLength(int contextLength);

    /// <summary>Draws a training example: token ids, and at each position the id asked for or <see cref="NoTarget"/>.</summary>
    /// <param name="random">The stream that decides which.</param>
    /// <param name="tokens">To fill, of <see cref="SequenceLength"/>.</param>
    /// <param name="targets">To fill, of the same length.</param>
    public abstract void Draw(RandomStream random, Span<int> tokens, Span<int> targets);

    /// <summary>Brings the held-out example of that index.</summary>
    public abstract void Validation(int index, Span<int> tokens, Span<int> targets);

    /// <summary>A text as an example of its own length.</summary>
    /// <exception cref="ArgumentException">The text is not one of this task's.</exception>
    public abstract (int[] Tokens, int[] Targets) Encode(string text);
}
