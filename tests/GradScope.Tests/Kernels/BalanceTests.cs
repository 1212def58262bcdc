using System.Diagnostics;

namespace GradScope.Tests.Kernels;

public class BalanceTests
{
    private static readonly long Millisecond = Stopwatch.Frequency / 1000;

    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(2, 2 / 3.0)]
    [InlineData(0.5, 1 / 3.0)]
    [InlineData(100, 0.75)]
    [InlineData(0.01, 0.25)]
    public void Comes_to_the_ratio_of_speeds_but_leaves_either_thread_a_quarter(double callerTimesAsFast, double expected)
    {
        var balance = new Balance(0.4);
        for (var job = 0; job < 60; job++)
        {
            var units = (int)Math.Round(balance.Caller * 1000);
            balance = balance.After(units, (long)(units * Millisecond / callerTimesAsFast), 1000 - units, (1000 - units) * Millisecond);
        }

        Assert.Equal(expected, balance.Caller, 1e-3);
    }

    [Fact]
    public void A_short_job_changes_little_and_one_without_a_time_nothing()
    {
        var balance = new Balance(0.5);
        Assert.InRange(balance.After(50, Millisecond / 1000, 50, Millisecond / 500).Caller, 0.5, 0.501);
        Assert.InRange(balance.After(50, 10 * Millisecond, 50, 20 * Millisecond).Caller, 0.65, 2 / 3.0);
        Assert.Equal(0.5, balance.After(50, 0, 50, 0).Caller);
    }

    [Fact]
    public void A_stall_within_a_short_job_changes_little() =>
        Assert.InRange(new Balance(0.5).After(50, Millisecond / 100, 50, 20 * Millisecond).Caller, 0.5, 0.52);
}
