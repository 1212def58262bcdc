namespace GradScope;

/// <summary>Draws a token from a model's prediction.</summary>
internal static class Sampling
{
    /// <summary>A token id with probability softmax(logits / temperature); at temperature 0 the largest.</summary>
    public static int Draw(ReadOnlySpan<float> logits, float temperature, RandomStream random)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }

        if (temperature == 0)
        {
            return best;
        }

        var total = 0.0;
        foreach (var logit in logits)
        {
            total += Math.Exp((logit - logits[best]) / temperature);
        }

        var left = random.NextDouble() * total;
        for (var i = 0; i < logits.Length; i++)
        {
            left -= Math.Exp((logits[i] - logits[best]) / temperature);
            if (left < 0)
            {
                return i;
            }
        }

        return best;
    }
}
