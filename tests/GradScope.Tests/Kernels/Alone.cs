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
}
