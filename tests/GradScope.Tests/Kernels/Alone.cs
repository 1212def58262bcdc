namespace GradScope.Tests.Kernels;

/// <summary>Tests of the helper thread run while no other test may occupy it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone
{
    internal static T WithThreads<T>(int count, Func<T> work)
    {
        var before = Workers.ThreadCount;
        Workers.ThreadCount = count;
        try
        {
            return work();
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    /// <summary>On two threads, of which the caller is at first given a quarter of each job, less than half, and three quarters.</summary>
    internal static IEnumerable<T> WithShares<T>(Func<T> work) => new[] { 0.25, 0.43, 0.75 }.Select(share => WithThreads(2, () =>
    {
        Workers.Balance = new(share);
        return work();
    }));

    /// <summary>On a thread that has done nothing yet, so that what it keeps for the next time has still to be taken.</summary>
    internal static T OnNewThread<T>(Func<T> work)
    {
        var result = default(T)!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                result = work();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw new InvalidOperationException(failure.Message, failure);
    }
}
