namespace GradScope.Interactive.Tests;

public class UpdateBudgetTests
{
    private readonly ManualClock clock = new();
    private readonly UpdateBudget budget;

    public UpdateBudgetTests() => budget = new(clock);

    [Fact]
    public void At_the_most_ten_small_updates_go_out_in_any_second()
    {
        List<double> sent = [];
        for (var millisecond = 0; millisecond < 4000; millisecond++)
        {
            if (budget.Take(100) == TimeSpan.Zero)
            {
                sent.Add(millisecond);
            }

            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(40, sent.Count);
        Assert.All(sent, from => Assert.InRange(sent.Count(t => t >= from && t < from + 1000), 1, UpdateBudget.MostUpdates));
    }

    [Fact]
    public void At_the_most_a_megabyte_goes_out_in_any_second()
    {
        var random = new RandomStream(1);
        List<(double Time, int Bytes)> sent = [];
        for (var millisecond = 0; millisecond < 10_000; millisecond++)
        {
            var size = 50_000 + random.Next(400_000);
            if (budget.Take(size) == TimeSpan.Zero)
            {
                sent.Add((millisecond, size));
            }

            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.All(sent, from => Assert.InRange(sent.Where(s => s.Time >= from.Time && s.Time < from.Time + 1000).Sum(s => s.Bytes), 1, UpdateBudget.MostBytes));
        Assert.InRange(sent.Sum(s => s.Bytes), 6_000_000, 10_000_000);
    }

    [Fact]
    public void What_it_says_to_wait_is_enough()
    {
        for (var i = 0; i < 50; i++)
        {
            var wait = budget.Take(300_000);
            while (wait > TimeSpan.Zero)
            {
                clock.Advance(wait);
                wait = budget.Take(300_000);
            }
        }

        // Three a second fit.
        Assert.Equal(16, TimeSpan.FromTicks(clock.GetTimestamp()).TotalSeconds);
    }

    [Fact]
    public void A_view_that_is_larger_than_a_megabyte_goes_out_alone_and_counts_for_longer()
    {
        Assert.Equal(TimeSpan.Zero, budget.Take(100));
        Assert.Equal(TimeSpan.FromSeconds(1), budget.Take(2_500_000));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.Zero, budget.Take(2_500_000));
        Assert.Equal(TimeSpan.FromSeconds(2.5), budget.Take(100));
    }
}
