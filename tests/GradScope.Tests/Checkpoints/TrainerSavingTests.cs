namespace GradScope.Tests.Checkpoints;

public sealed class TrainerSavingTests : IDisposable
{
    private static readonly Names FewNames = new(["anna", "hanna", "anton", "nathan", "hana", "tan", "nora", "toni", "ron", "arno", "ina", "ona"]);

    private static readonly TransformerConfig Config = new()
    {
        VocabSize = FewNames.VocabSize,
        ModelDim = 16,
        HeadCount = 2,
        LayerCount = 2,
        ContextLength = 8,
        Dropout = 0.1f,
        Seed = 5,
    };

    private readonly Scratch scratch = new();

    public void Dispose() => scratch.Dispose();

    public static TheoryData<string, int> Cases => new()
    {
        { "AdamW", 7 }, { "AdamW", 10 }, { "Adam", 7 }, { "SGD", 7 }, { "momentum", 7 }, { "AdamW", 0 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_continued_training_has_the_losses_of_an_uninterrupted_one_to_the_bit(string optimizer, int stop)
    {
        var whole = NewTrainer(new MiniTransformer(Config), optimizer);
        whole.Train(20);

        var path = scratch.PathOf("run.safetensors");
        var first = NewTrainer(new MiniTransformer(Config), optimizer);
        if (stop > 0)
        {
            first.Train(stop);
        }

        first.Save(path);
        var second = NewTrainer(MiniTransformer.Load(path), optimizer).Resume(path);
        Assert.Equal(stop, second.Steps);
        second.Train(20 - stop);

        Assert.Equal(whole.Run.Metrics.ToArray(), second.Run.Metrics.ToArray());
        Assert.Equal(whole.Run.GradientNorms.SelectMany(row => row), second.Run.GradientNorms.SelectMany(row => row));
        Assert.All(whole.Model.Parameters, p => Assert.Equal(p.Value.Values.ToArray(), second.Model[p.Name].Value.Values.ToArray()));
        Assert.Equal(whole.Optimizer.Updates, second.Optimizer.Updates);
        Assert.Contains(second.Run.Metrics, m => m.ValidationLoss is not null);
    }

    [Fact]
    public void A_continued_training_knows_how_many_updates_each_parameter_had()
    {
        var path = scratch.PathOf("run.safetensors");
        var whole = NewTrainer(new MiniTransformer(Config), "AdamW");
        whole.Model.Freeze("blocks.0.*");
        whole.Train(5);
        whole.Save(path);
        var second = NewTrainer(MiniTransformer.Load(path), "AdamW").Resume(path);
        foreach (var trainer in new[] { whole, second })
        {
            trainer.Model.Unfreeze("blocks.0.*");
            trainer.Train(5);
        }

        Assert.Equal(whole.Run.Metrics.ToArray(), second.Run.Metrics.ToArray());
        Assert.All(whole.Model.Parameters, p => Assert.Equal(p.Value.Values.ToArray(), second.Model[p.Name].Value.Values.ToArray()));
    }

    [Fact]
    public void Saving_changes_nothing_and_the_model_is_there_alone()
    {
        var path = scratch.PathOf("run.safetensors");
        var trainer = NewTrainer(new MiniTransformer(Config), "AdamW");
        trainer.Train(3);
        trainer.Save(path);
        var model = MiniTransformer.Load(path);
        Assert.All(trainer.Model.Parameters, p => Assert.Equal(p.Value.Values.ToArray(), model[p.Name].Value.Values.ToArray()));

        var plain = NewTrainer(new MiniTransformer(Config), "AdamW");
        plain.Train(6);
        trainer.Train(3);
        Assert.Equal(plain.Run.Metrics.ToArray(), trainer.Run.Metrics.ToArray());
        Assert.Equal([path], Directory.GetFiles(scratch.Folder));
    }

    [Fact]
    public void Another_model_task_or_optimiser_is_refused_and_nothing_is_changed()
    {
        var path = scratch.PathOf("run.safetensors");
        var trainer = NewTrainer(new MiniTransformer(Config), "AdamW");
        trainer.Train(3);
        trainer.Save(path);

        Refused("HeadCount 2, here 4; Dropout 0.1, here 0", NewTrainer(new MiniTransformer(Config with { HeadCount = 4, Dropout = 0 }), "AdamW"));
        Refused("optimiser AdamW, here Sgd", NewTrainer(new MiniTransformer(Config), "SGD"));
        var text = new CharText(string.Concat(Enumerable.Repeat(string.Concat(FewNames.Vocabulary), 20)));
        Refused("task names, here text", new Trainer(new MiniTransformer(Config), text));
        NewTrainer(new MiniTransformer(Config with { MlpDim = 64 }), "AdamW").Resume(path);

        void Refused(string message, Trainer other)
        {
            var before = other.Model["embed.weight"].Value.Values.ToArray();
            Assert.Contains(message, Assert.Throws<InvalidDataException>(() => other.Resume(path)).Message);
            Assert.Equal((0, 0), (other.Steps, other.Optimizer.Updates));
            Assert.Equal(before, other.Model["embed.weight"].Value.Values.ToArray());
        }
    }

    [Fact]
    public void A_file_without_training_or_with_half_of_one_is_refused()
    {
        var path = scratch.PathOf("run.safetensors");
        var trainer = NewTrainer(new MiniTransformer(Config), "AdamW");
        trainer.Train(3);
        trainer.Model.Save(path);
        Assert.Contains("no 'gradscope.training'", Assert.Throws<InvalidDataException>(() => NewTrainer(new MiniTransformer(Config), "AdamW").Resume(path)).Message);

        trainer.Save(path);
        foreach (var missing in (string[])["training.metrics", "training.second.ln_final.bias", "embed.weight"])
        {
            Assert.Contains($"'{missing}'", Assert.Throws<InvalidDataException>(() => NewTrainer(new MiniTransformer(Config), "AdamW").Resume(Without(path, missing))).Message);
        }
    }

    [Fact]
    public void A_trainer_that_has_begun_does_not_resume()
    {
        var path = scratch.PathOf("run.safetensors");
        var trainer = NewTrainer(new MiniTransformer(Config), "AdamW");
        trainer.Train(1);
        trainer.Save(path);
        Assert.Contains("has made 1 steps", Assert.Throws<InvalidOperationException>(() => trainer.Resume(path)).Message);
    }

    private static Trainer NewTrainer(MiniTransformer model, string optimizer) => new(model, FewNames, seed: 9)
    {
        Optimizer = optimizer switch
        {
            "AdamW" => new AdamW(3e-3f),
            "Adam" => new Adam(3e-3f),
            "SGD" => new Sgd(0.1f),
            _ => new Sgd(0.1f, momentum: 0.9f),
        },
        Schedule = new WarmUpCosine(4, 20, 1e-4f),
        ClipNorm = 1,
        BatchSize = 4,
        ValidationEvery = 5,
        FrameEvery = 0,
    };

    private string Without(string path, string name)
    {
        using var file = Safetensors.Open(path);
        var copy = scratch.PathOf("copy.safetensors");
        Safetensors.Write(copy, file.Tensors.Where(t => t.Name != name).Select(t => KeyValuePair.Create(t.Name, file.Read(t.Name))), file.Metadata);
        return copy;
    }
}
