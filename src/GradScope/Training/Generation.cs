namespace GradScope;

/// <summary>Text from a trained model.</summary>
public static class Generation
{
    /// <summary>New names, each from its start to its end.</summary>
    /// <param name="model">A model trained on <paramref name="names"/>.</param>
    /// <param name="names">The task, which knows the letters.</param>
    /// <param name="count">How many.</param>
    /// <param name="temperature">Below 1 likelier, above 1 wilder names.</param>
    /// <param name="seed">The seed of the draws.</param>
    public static string[] Generate(this MiniTransformer model, Names names, int count = 5, float temperature = 1, ulong seed = 1)
    {
        var random = new RandomStream(seed);
        return [.. Enumerable.Range(0, count).Select(_ => names.Decode(model.Generate([0], model.Config.ContextLength, temperature, random.Next(), end: 0)))];
    }

    /// <summary>A continuation of a text.</summary>
    /// <param name="model">A model trained on <paramref name="text"/>.</param>
    /// <param name="text">The task, which knows the characters.</param>
    /// <param name="prompt">What to continue; at least one character.</param>
    /// <param name="length">How many characters to add.</param>
    /// <param name="temperature">Below 1 likelier, above 1 wilder text.</param>
    /// <param name="seed">The seed of the draws.</param>
    /// <exception cref="ArgumentException">The prompt is empty or has a character that the task's text has not.</exception>
    public static string Generate(this MiniTransformer model, CharText text, string prompt, int length = 200, float temperature = 1, ulong seed = 1) =>
        prompt + text.Decode(model.Generate(text.Encode(prompt).Tokens, length, temperature, seed));
}
