namespace GradScope;

/// <summary>The model that knows only the last token: p(next | last) = count(last, next) / count(last).</summary>
internal static class BigramModel
{
    /// <summary>Mean −log p over pairs, in nats.</summary>
    /// <param name="counts">How often each (last, next) pair was seen where the model learnt.</param>
    /// <param name="scored">How often it stands where the model is scored; a pair never seen is given one count of all.</param>
    public static double Loss(int[,] counts, int[,] scored)
    {
        var size = counts.GetLength(0);
        var (sum, pairs) = (0.0, 0L);
        for (var last = 0; last < size; last++)
        {
            var total = 0L;
            for (var next = 0; next < size; next++)
            {
                total += counts[last, next];
            }

            for (var next = 0; next < size; next++)
            {
                if (scored[last, next] > 0)
                {
                    sum -= scored[last, next] * Math.Log(Math.Max(counts[last, next], 1) / (double)Math.Max(total, 1));
                    pairs += scored[last, next];
                }
            }
        }

        return sum / pairs;
    }
}
