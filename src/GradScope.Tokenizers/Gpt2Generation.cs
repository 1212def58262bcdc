namespace GradScope;

/// <summary>Text from a model that speaks GPT-2's tokens.</summary>
public static class Gpt2Generation
{
    /// <summary>A continuation of a text, up to <paramref name="length"/> more tokens or the end of the document.</summary>
    /// <param name="model">A model of the tokenizer's vocabulary.</param>
    /// <param name="tokenizer">The tokenizer that the model was trained with.</param>
    /// <param name="prompt">What to continue; at least one character.</param>
    /// <param name="length">How many tokens to add at the most.</param>
    /// <param name="temperature">Below 1 likelier, above 1 wilder text.</param>
    /// <param name="seed">The seed of the draws.</param>
    /// <exception cref="ArgumentException">The prompt is empty or has a character outside the vocabulary, or the vocabularies differ in size.</exception>
    public static string Generate(this MiniTransformer model, Gpt2Tokenizer tokenizer, string prompt, int length = 50, float temperature = 1, ulong seed = 1)
    {
        if (model.Config.VocabSize != tokenizer.VocabSize)
        {
            throw new ArgumentException($"Generate: the model has {model.Config.VocabSize} tokens but the tokenizer {tokenizer.VocabSize}; load the vocabulary that the model was trained with.");
        }

        var tokens = tokenizer.Encode(prompt);
        return tokenizer.Decode([.. tokens, .. model.Generate(tokens, length, temperature, seed, tokenizer.EndOfTextId)]);
    }
}
