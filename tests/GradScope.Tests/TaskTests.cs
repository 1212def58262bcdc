namespace GradScope.Tests;

public class TaskTests
{
    private static readonly SortTask Sort = new();

    [Fact]
    public void Sorted_digits_follow_the_input_and_only_they_are_asked_for()
    {
        var (tokens, targets) = Sort.Encode("201120");
        Assert.Equal([2, 0, 1, 1, 2, 0, 0, 0, 1, 1, 2], tokens);
        Assert.Equal([-1, -1, -1, -1, -1, 0, 0, 1, 1, 2, 2], targets);
    }

    [Fact]
    public void Held_out_inputs_are_never_drawn_and_all_others_are()
    {
        var held = Enumerable.Range(0, Sort.ValidationCount).Select(i => Input((t, w) => Sort.Validation(i, t, w))).ToHashSet();
        var random = new RandomStream(1);
        var drawn = Enumerable.Range(0, 20_000).Select(_ => Input((t, w) => Sort.Draw(random, t, w))).ToHashSet();
        Assert.Empty(held.Intersect(drawn));
        Assert.Equal(729, held.Count + drawn.Count);
        Assert.InRange(held.Count, 140, 225);
    }

    [Fact]
    public void Bad_settings_are_refused_with_the_remedy()
    {
        Assert.Contains("contextLength: 11", Assert.Throws<ArgumentException>(() => Sort.SequenceLength(10)).Message);
        Assert.Contains("“0123”", Assert.Throws<ArgumentException>(() => Sort.Encode("0123")).Message);
        Assert.Contains("“012300”", Assert.Throws<ArgumentException>(() => Sort.Encode("012300")).Message);
    }

    [Fact]
    public void A_block_of_random_tokens_repeats_and_each_next_one_is_asked_for()
    {
        var task = new RepeatedTokens(vocabSize: 64, length: 32, shortestBlock: 5);
        var (random, blocks) = (new RandomStream(1), new HashSet<int>());
        for (var n = 0; n < 500; n++)
        {
            var (tokens, targets) = (new int[32], new int[32]);
            task.Draw(random, tokens, targets);
            Assert.Equal([.. tokens[1..], -1], targets);
            blocks.Add(Enumerable.Range(1, 31).First(block => tokens[block..].SequenceEqual(tokens[..^block])));
        }

        Assert.Equal(Enumerable.Range(5, 12), blocks.Order());
    }

    /// <summary>The published floor, and that of the exact distribution of a small task, all of whose examples are enumerated.</summary>
    [Fact]
    public void The_floor_is_the_entropy_of_what_follows()
    {
        Assert.Equal(2.0124, new RepeatedTokens().Baselines.Single(b => b.IsFloor).Loss, 4);

        // Blocks of 2 or 3 of 40 tokens, 6 positions: −Σ p ln p over whole examples, without the first token's ln 40.
        const int Tokens = 40;
        var examples = new Dictionary<(int, int, int, int, int, int), double>();
        for (var block = 2; block <= 3; block++)
        {
            for (var code = 0; code < Math.Pow(Tokens, block); code++)
            {
                var t = Enumerable.Range(0, 6).Select(i => code / (int)Math.Pow(Tokens, i % block) % Tokens).ToArray();
                var key = (t[0], t[1], t[2], t[3], t[4], t[5]);
                examples[key] = examples.GetValueOrDefault(key) + 0.5 / Math.Pow(Tokens, block);
            }
        }

        var entropy = examples.Values.Sum(p => -p * Math.Log(p)) - Math.Log(Tokens);
        Assert.Equal(entropy / 5, new RepeatedTokens(Tokens, length: 6, shortestBlock: 2).Baselines.Single(b => b.IsFloor).Loss, 3);
    }

    [Fact]
    public void Sums_are_modulo_p_and_half_of_the_pairs_is_held_out()
    {
        var task = new ModularAddition(7);
        var (tokens, targets) = task.Encode("5 4");
        Assert.Equal([5, 4, 7], tokens);
        Assert.Equal([-1, -1, 2], targets);

        var held = Enumerable.Range(0, task.ValidationCount).Select(i => Pair((t, w) => task.Validation(i, t, w))).ToHashSet();
        var random = new RandomStream(1);
        var drawn = Enumerable.Range(0, 2000).Select(_ => Pair((t, w) => task.Draw(random, t, w))).ToHashSet();
        Assert.Empty(held.Intersect(drawn));
        Assert.Equal((25, 24, 24), (held.Count, drawn.Count, task.TrainingCount));

        static (int, int) Pair(Action<int[], int[]> fill)
        {
            var (tokens, targets) = (new int[3], new int[3]);
            fill(tokens, targets);
            Assert.Equal((tokens[0] + tokens[1]) % 7, targets[2]);
            return (tokens[0], tokens[1]);
        }
    }

    [Fact]
    public void Bad_settings_of_the_other_tasks_are_refused_with_the_remedy()
    {
        Assert.Contains("1 to 16", Assert.Throws<ArgumentException>(() => new RepeatedTokens(shortestBlock: 17)).Message);
        Assert.Contains("at least 2 tokens", Assert.Throws<ArgumentException>(() => new RepeatedTokens(vocabSize: 1)).Message);
        Assert.Contains("contextLength: 32", Assert.Throws<ArgumentException>(() => new RepeatedTokens().SequenceLength(31)).Message);
        Assert.Contains("“64” is not a token", Assert.Throws<ArgumentException>(() => new RepeatedTokens().Encode("1 64")).Message);
        Assert.Contains("has 1 tokens", Assert.Throws<ArgumentException>(() => new RepeatedTokens().Encode("1")).Message);
        Assert.Contains("2 or more", Assert.Throws<ArgumentException>(() => new ModularAddition(1)).Message);
        Assert.Contains("“5 7” is not two numbers of 0 to 6", Assert.Throws<ArgumentException>(() => new ModularAddition(7).Encode("5 7")).Message);
        Assert.Contains("contextLength: 3", Assert.Throws<ArgumentException>(() => new ModularAddition(7).SequenceLength(2)).Message);
    }

    [Fact]
    public void Probes_of_all_tasks_encode()
    {
        Assert.All<TrainingTask>([Sort, new RepeatedTokens(), new ModularAddition(7)], task =>
        {
            var (tokens, targets) = task.Encode(task.DefaultProbe);
            Assert.Equal(tokens.Length, targets.Length);
            Assert.Equal(task.SequenceLength(32), tokens.Length);
        });
    }

    private static string Input(Action<int[], int[]> fill)
    {
        var (tokens, targets) = (new int[11], new int[11]);
        fill(tokens, targets);
        return string.Concat(tokens.Take(6));
    }
}
