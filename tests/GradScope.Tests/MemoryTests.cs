using GradScope.Tests.Kernels;

namespace GradScope.Tests;

/// <summary>What training asks of the garbage collector. Alone, since collections and memory are the whole process's.</summary>
[Collection(nameof(Alone))]
public class MemoryTests
{
    public static TheoryData<string> Optimizers() => ["Sgd", "Adam", "AdamW"];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void A_training_step_allocates_nothing(string optimizer)
    {
        var trainer = NewTrainer(optimizer switch { "Sgd" => new Sgd(0.01f, momentum: 0.9f), "Adam" => new Adam(0.01f), _ => new AdamW(0.01f) });
        trainer.Train(300);
        Assert.Equal(300, trainer.Run.Metrics.Length);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 200; i++)
        {
            trainer.Train(1);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>The helper may lose its core at any step; the caller then works alone, on parts that were the helper's before.</summary>
    [Theory]
    [InlineData(64, 32)]
    [InlineData(60, 31)]
    public void A_training_step_that_one_thread_has_to_make_alone_allocates_nothing(int width, int positions)
    {
        var model = new MiniTransformer(vocabSize: 65, modelDim: width, heads: 4, layers: 2, contextLength: positions);
        var workout = new Workout(model, new Tape(), new int[16 * positions], new int[16 * positions], positions, training: true);
        var adam = new Adam(1e-4f);
        var (shared, alone) = Alone.OnNewThread(() =>
        {
            Alone.WithThreads(2, () => Train(50));
            return (Alone.WithThreads(2, () => Train(5)), Alone.WithThreads(1, () => Train(5)));
        });

        Assert.Equal((0, 0), (shared, alone));

        long Train(int steps)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < steps; i++)
            {
                workout.Replay();
                workout.Tape.Backward(workout.Loss);
                adam.Step(model.Store, 1e-4f, 1);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Ten_thousand_steps_need_no_full_collection()
    {
        var trainer = NewTrainer(new AdamW(0.01f));
        trainer.Train(100);
        var collections = GC.CollectionCount(2);
        trainer.Train(10_000);

        Assert.Equal(collections, GC.CollectionCount(2));
        Assert.Equal(10_100, trainer.Run.GradientNorms.Length);
    }

    [Fact]
    public void A_thousand_models_trained_and_dropped_leave_memory_where_it_was()
    {
        Drop(50);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Drop(1000);
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;

        // One of these models with its tape, optimiser and record is some 100 KB.
        Assert.InRange(kept, -1_000_000, 100_000);

        static void Drop(int count)
        {
            for (var i = 0; i < count; i++)
            {
                NewTrainer(new AdamW(0.01f)).Train(2);
            }
        }
    }

    private static Trainer NewTrainer(Optimizer optimizer) => new(
        new MiniTransformer(vocabSize: TrainingTests.FewNames.VocabSize, modelDim: 16, heads: 2, layers: 1, contextLength: 8), TrainingTests.FewNames)
    {
        Optimizer = optimizer,
        Schedule = new WarmUpCosine(10, 20_000, 1e-4f),
        BatchSize = 4,
        ClipNorm = 1,
        ValidationEvery = 0,
        FrameEvery = 0,
    };
}
