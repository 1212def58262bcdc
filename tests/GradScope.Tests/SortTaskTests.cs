namespace GradScope.Tests;

public class SortTaskTests
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

    private static string Input(Action<int[], int[]> fill)
    {
        var (tokens, targets) = (new int[11], new int[11]);
        fill(tokens, targets);
        return string.Concat(tokens.Take(6));
    }
}
