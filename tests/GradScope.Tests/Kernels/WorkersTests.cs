using System.Collections.Concurrent;

namespace GradScope.Tests.Kernels;

[Collection(nameof(Alone))]
public class WorkersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_unit_is_done_once(int threads) => Alone.WithThreads(threads, () =>
    {
        foreach (var count in new[] { 0, 1, 2, 3, 1000 })
        {
            var job = new Count(new int[count]);
            for (var repeat = 0; repeat < 100; repeat++) Workers.For(ref job, count, long.MaxValue);
            Assert.All(job.Times, times => Assert.Equal(100, times));
        }

        return true;
    });

    [Fact]
    public void Two_threads_work_at_the_same_time() => Alone.WithThreads(2, () =>
    {
        using var begun = new ManualResetEventSlim();
        var job = new Meet(begun, new int[2]);
        Workers.For(ref job, 2, long.MaxValue);
        Assert.NotEqual(job.Threads[0], job.Threads[1]);
        Assert.Equal(Environment.CurrentManagedThreadId, job.Threads[0]);
        return true;
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_a_slow_thread_has_not_begun_the_other_does(bool slowHelper) => Alone.WithThreads(2, () =>
    {
        using var begun = new ManualResetEventSlim();
        using var rest = new CountdownEvent(100);
        var job = new Slow(begun, rest, slowHelper, new int[100]);
        Workers.For(ref job, 100, long.MaxValue);
        Assert.True(rest.IsSet);
        var caller = Environment.CurrentManagedThreadId;
        Assert.InRange(job.Threads.Count(thread => slowHelper == (thread == caller)), 60, 99);
        return true;
    });

    [Theory]
    [InlineData(100, 10)]
    [InlineData(97, 10)]
    [InlineData(7, 10)]
    [InlineData(12, 4)]
    [InlineData(1000, 1)]
    [InlineData(5, 3)]
    [InlineData(32, 10)]
    [InlineData(15, 2)]
    public void Pieces_are_whole_grains_and_no_smaller_than_is_worth_it(int count, int grain)
    {
        foreach (var share in new[] { 0.25, 0.5, 0.6, 0.75 })
        {
            foreach (var cost in new[] { Workers.MinimumCost, 100 * Workers.MinimumCost, long.MaxValue })
            {
                for (var repeat = 0; repeat < 50; repeat++) Assert.All(Alone.WithThreads(2, () => Take(share, cost)), Check);

                void Check((int From, int To) piece)
                {
                    Assert.True(piece.From < piece.To && piece.From % grain == 0 && (piece.To % grain == 0 || piece.To == count), $"{piece}");
                    var most = share == 0.5 ? count * 2 / 3 : (int)(Math.Max(share, 1 - share) * count) + grain / 2;
                    Assert.True(piece.To - piece.From <= Math.Max(most, grain), $"{piece} of {share}");
                    // 40 of 800 µs are worth a piece, and half of that the last one.
                    if (cost == 100 * Workers.MinimumCost) Assert.True(40 * (piece.To - piece.From) >= count, $"{piece}");
                }
            }
        }

        List<(int From, int To)> Take(double share, long cost)
        {
            var job = new Pieces(new int[count], new());
            Workers.Balance = new(share);
            Workers.For(ref job, count, cost, grain);
            Assert.All(job.Times, times => Assert.Equal(1, times));
            if (cost == Workers.MinimumCost) Assert.InRange(job.Bounds.Count, 1, 2);
            return [.. job.Bounds];
        }
    }

    /// <summary>In two pieces what is short, or is not worth more of them.</summary>
    [Theory]
    [InlineData(Workers.MinimumCost, 1, 0.25, 250)]
    [InlineData(Workers.MinimumCost, 1, 0.75, 750)]
    [InlineData(long.MaxValue, 1000, 0.4, 400)]
    [InlineData(long.MaxValue, 1, 0.4, 267)]
    [InlineData(long.MaxValue, 10, 0.75, 500)]
    public void The_callers_first_piece_is_what_it_is_likely_to_do_or_two_thirds_of_it(long cost, int least, double share, int expected) => Alone.WithThreads(2, () =>
    {
        var job = new Pieces(new int[1000], new());
        Workers.Balance = new(share);
        Workers.For(ref job, 1000, cost, least: least);
        Assert.Contains((0, expected), job.Bounds);
        Assert.All(job.Times, times => Assert.Equal(1, times));
        if (expected == 1000 * share) Assert.Contains((expected, 1000), job.Bounds);
        else Assert.InRange(job.Bounds.Count, 3, 1000);
        return true;
    });

    [Fact]
    public void Nothing_is_learned_from_uneven_work() => Alone.WithThreads(2, () =>
    {
        for (var repeat = 0; repeat < 50; repeat++)
        {
            var job = new Slower();
            Workers.For(ref job, 2, long.MaxValue, even: false);
            Assert.Equal(0.5, Workers.Balance.Caller);
        }

        return true;
    });

    [Fact]
    public void Nothing_is_learned_from_a_helper_that_lost_its_core() => Alone.WithThreads(2, () =>
    {
        using var begun = new ManualResetEventSlim();
        var slow = new Late(begun);
        Workers.For(ref slow, 2, long.MaxValue);
        Assert.Equal(0.5, Workers.Balance.Caller);
        return true;
    });

    [Fact]
    public void Small_work_stays_on_the_caller() => Alone.WithThreads(2, () =>
    {
        var job = new Note(new int[2]);
        Workers.For(ref job, 2, Workers.MinimumCost - 1);
        Assert.All(job.Threads, thread => Assert.Equal(Environment.CurrentManagedThreadId, thread));
        return true;
    });

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void An_exception_of_either_thread_reaches_the_caller_and_the_next_job_runs(int failing) => Alone.WithThreads(2, () =>
    {
        for (var repeat = 0; repeat < 20; repeat++)
        {
            var fail = new Fail(failing);
            var thrown = Assert.Throws<InvalidOperationException>(() => Workers.For(ref fail, 8, long.MaxValue));
            Assert.Equal($"unit {failing}", thrown.Message);
            var job = new Count(new int[8]);
            Workers.For(ref job, 8, long.MaxValue);
            Assert.All(job.Times, times => Assert.Equal(1, times));
        }

        return true;
    });

    [Fact]
    public void After_a_helper_that_lost_its_core_the_caller_works_alone_for_a_while() => Alone.WithThreads(2, () =>
    {
        using var begun = new ManualResetEventSlim();
        var slow = new Late(begun);
        Workers.For(ref slow, 2, long.MaxValue);
        var job = new Note(new int[2]);
        Workers.For(ref job, 2, long.MaxValue);
        Assert.All(job.Threads, thread => Assert.Equal(Environment.CurrentManagedThreadId, thread));

        for (var repeat = 0; repeat < 300; repeat++) Workers.For(ref job, 2, long.MaxValue);
        using var met = new ManualResetEventSlim();
        var meet = new Meet(met, new int[2]);
        Workers.For(ref meet, 2, long.MaxValue);
        Assert.NotEqual(meet.Threads[0], meet.Threads[1]);
        return true;
    });

    [Fact]
    public void Several_callers_and_jobs_within_jobs_finish() => Alone.WithThreads(2, () =>
    {
        var missed = 0;
        var callers = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (var repeat = 0; repeat < 500; repeat++)
            {
                var job = new Nest(new int[20, 30]);
                Workers.For(ref job, 20, long.MaxValue);
                foreach (var times in job.Times)
                {
                    if (times != 1) Interlocked.Increment(ref missed);
                }
            }
        })).ToList();
        callers.ForEach(c => c.Start());
        callers.ForEach(c => c.Join());
        Assert.Equal(0, missed);
        return true;
    });

    [Fact]
    public void Sharing_allocates_nothing() => Alone.WithThreads(2, () =>
    {
        var job = new Count(new int[100]);
        Workers.For(ref job, 100, long.MaxValue);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var repeat = 0; repeat < 100; repeat++) Workers.For(ref job, 100, long.MaxValue);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        return true;
    });

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Refuses_a_thread_count_it_does_not_have(int count) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Workers.ThreadCount = count);

    private readonly struct Count(int[] times) : IJob
    {
        public int[] Times => times;

        public void Run(int from, int to)
        {
            for (var i = from; i < to; i++) times[i]++;
        }
    }

    private readonly struct Note(int[] threads) : IJob
    {
        public int[] Threads => threads;

        public void Run(int from, int to) => threads.AsSpan(from, to - from).Fill(Environment.CurrentManagedThreadId);
    }

    /// <summary>A helper that begins and is then kept from its work.</summary>
    private readonly struct Late(ManualResetEventSlim begun) : IJob
    {
        public void Run(int from, int to)
        {
            if (from == 0)
            {
                begun.Wait();
                return;
            }

            begun.Set();
            Thread.Sleep(50);
        }
    }

    /// <summary>The helper has thirty times the caller's work.</summary>
    private readonly struct Slower : IJob
    {
        public void Run(int from, int to) => Thread.SpinWait(from == 0 ? 500 : 15_000);
    }

    private readonly struct Meet(ManualResetEventSlim begun, int[] threads) : IJob
    {
        public int[] Threads => threads;

        public void Run(int from, int to)
        {
            if (from > 0) begun.Set();
            else begun.Wait(TimeSpan.FromSeconds(30));
            threads.AsSpan(from, to - from).Fill(Environment.CurrentManagedThreadId);
        }
    }

    /// <summary>A helper or a caller whose first piece lasts until all but it is done.</summary>
    private readonly struct Slow(ManualResetEventSlim begun, CountdownEvent rest, bool slowHelper, int[] threads) : IJob
    {
        public int[] Threads => threads;

        public void Run(int from, int to)
        {
            threads.AsSpan(from, to - from).Fill(Environment.CurrentManagedThreadId);
            rest.Signal(to - from);
            if (to == threads.Length) begun.Set();
            if (slowHelper ? to == threads.Length : from == 0) rest.Wait(TimeSpan.FromSeconds(30));
            else if (from == 0) begun.Wait(TimeSpan.FromSeconds(30));
        }
    }

    private readonly struct Pieces(int[] times, ConcurrentBag<(int From, int To)> bounds) : IJob
    {
        public int[] Times => times;

        public ConcurrentBag<(int From, int To)> Bounds => bounds;

        public void Run(int from, int to)
        {
            for (var i = from; i < to; i++) times[i]++;
            bounds.Add((from, to));
        }
    }

    private readonly struct Fail(int failing) : IJob
    {
        public void Run(int from, int to)
        {
            if (from <= failing && failing < to) throw new InvalidOperationException($"unit {failing}");
        }
    }

    private readonly struct Nest(int[,] times) : IJob
    {
        public int[,] Times => times;

        public void Run(int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                var row = new Row(times, i);
                Workers.For(ref row, times.GetLength(1), long.MaxValue);
            }
        }

        private readonly struct Row(int[,] times, int i) : IJob
        {
            public void Run(int from, int to)
            {
                for (var j = from; j < to; j++) times[i, j]++;
            }
        }
    }
}
