namespace GradScope.Tests;

public class TrainingTests
{
    internal static readonly Names FewNames = new(["anna", "hanna", "anton", "nathan", "hana", "tan", "nora", "toni", "ron", "arno", "ina", "ona"]);

    [Fact]
    public void Training_learns_and_the_same_seed_repeats_it_to_the_bit()
    {
        var first = NewTrainer();
        var second = NewTrainer();
        first.Train(60);
        second.Train(60);

        Assert.True(first.Run.Metrics[^1].Loss < first.Run.Metrics[0].Loss - 0.5);
        Assert.Equal(first.Run.Metrics.Select(m => m.Loss), second.Run.Metrics.Select(m => m.Loss));
        Assert.Equal(first.Model.Parameters.SelectMany(p => p.Value.Values.ToArray()), second.Model.Parameters.SelectMany(p => p.Value.Values.ToArray()));
    }

    [Fact]
    public void Looking_at_the_probe_does_not_change_the_training()
    {
        var plain = NewTrainer(frameEvery: 0);
        var watched = NewTrainer(frameEvery: 1);
        plain.Train(10);
        for (var i = 0; i < 10; i++)
        {
            watched.Step();
            watched.Look("hanna");
        }

        Assert.Equal(plain.Run.Metrics.Select(m => m.Loss), watched.Run.Metrics.Select(m => m.Loss));
    }

    [Fact]
    public void A_step_returns_the_probe_under_the_weights_it_started_from()
    {
        var trainer = NewTrainer();
        var before = trainer.Look("hanna");
        var step = trainer.Step();

        Assert.Equal(before.Loss, step.Loss);
        Assert.Equal(0, step.Step);
        Assert.Equal(1, step.Metrics!.Step);
        Assert.Equal(".hanna", string.Concat(step.Tokens));
        Assert.Equal("hanna.", string.Concat(step.Targets));
        Assert.NotEqual(before.Loss, trainer.Look("hanna").Loss);
        Assert.NotNull(step.Tape["blocks.0.attn.wq.weight"].Grad);
    }

    [Fact]
    public void A_run_is_a_copy_that_later_steps_do_not_change()
    {
        var trainer = NewTrainer(frameEvery: 2);
        trainer.Train(4);
        var run = trainer.Run;
        trainer.Train(4);

        Assert.Equal(4, run.Metrics.Length);
        Assert.Equal([0, 2, 4], run.Frames.Select(f => f.Step));
        Assert.Equal(run.ParameterNames.Length, run.GradientNorms[3].Length);
        Assert.Equal(run.Metrics[3].GradientNorm, Math.Sqrt(run.GradientNorms[3].Sum(n => (double)n * n)), 5);
        Assert.Equal(8, trainer.Run.Metrics.Length);
    }

    [Fact]
    public void Shares_of_skip_and_branch_are_projections_that_the_gradients_themselves_give()
    {
        var trainer = NewTrainer();
        trainer.Train(20);
        var frame = trainer.Look("hanna");
        var flow = frame.GradientFlow();

        Assert.Equal(5, flow.Stations.Length);
        Assert.Equal(["blocks.0.attn", "blocks.0.mlp", "blocks.1.attn", "blocks.1.mlp"], flow.Branches.Select(b => b.Path));
        var total = frame.Tape["blocks.0.resid_mid"].Grad!;
        var skip = frame.Tape["blocks.0.resid_post"].Grad!;
        Assert.Equal(skip.Dot(total) / total.Dot(total), flow.Branches[1].SkipShare!.Value, 6);
        Assert.Equal(1, flow.Branches[1].SkipShare!.Value + flow.Branches[1].BranchShare!.Value, 12);
        Assert.All(flow.Branches, b => Assert.NotEmpty(b.Parameters));
    }

    [Theory]
    [InlineData(NormPlacement.Post, null)]
    [InlineData(NormPlacement.Pre, 0)]
    public void Gradient_flow_is_read_from_post_norm_and_attention_only_models_too(NormPlacement placement, int? mlpDim)
    {
        var model = new MiniTransformer(new TransformerConfig { VocabSize = FewNames.VocabSize, ContextLength = 7, NormPlacement = placement, MlpDim = mlpDim });
        var flow = new Trainer(model, FewNames).Look("hanna").GradientFlow();
        Assert.Equal(mlpDim == 0 ? 3 : 5, flow.Stations.Length);
        Assert.All(flow.Stations, s => Assert.True(s.GradNorm > 0));
    }

    [Fact]
    public void Predictions_are_distributions_and_know_their_targets()
    {
        var trainer = NewTrainer();
        trainer.Train(30);
        var frame = trainer.Look("hanna");
        var predictions = frame.Predictions();

        var loss = 0.0;
        foreach (var position in predictions.Positions)
        {
            Assert.Equal(1, position.Probabilities.Values.ToArray().Sum(), 5);
            Assert.Equal(position.Target, predictions.Vocabulary[position.TargetId!.Value]);
            loss -= Math.Log(position.Probabilities[position.TargetId.Value]);
        }

        Assert.Equal(frame.Loss, loss / predictions.Positions.Length, 5);
    }

    [Fact]
    public void A_loss_that_explodes_leaves_the_weights_and_the_run_as_they_were()
    {
        var trainer = NewTrainer();
        trainer.Train(3);
        var name = trainer.Model.Parameters[0];
        name.Set(Tensor.Normal(name.Shape, 1, float.PositiveInfinity));
        var weights = trainer.Model["unembed.weight"].Value.Values.ToArray();
        var error = Assert.Throws<ArithmeticException>(() => trainer.Train(1));

        Assert.Contains("embed", error.Message);
        Assert.Equal(3, trainer.Steps);
        Assert.Equal(weights, trainer.Model["unembed.weight"].Value.Values.ToArray());
    }

    [Fact]
    public void Training_stops_after_the_current_step_when_told()
    {
        var trainer = NewTrainer();
        using var stop = new CancellationTokenSource();
        trainer.Train(100, m =>
        {
            if (m.Step == 7)
            {
                stop.Cancel();
            }
        }, stop.Token);
        Assert.Equal(7, trainer.Steps);
    }

    [Fact]
    public void A_validation_whose_last_batch_is_shorter_scores_every_example_once()
    {
        var names = new Names(Enumerable.Range(0, 130).Select(i => $"{(char)('a' + i % 26)}{(char)('a' + i / 26)}n"));
        var model = new MiniTransformer(vocabSize: names.VocabSize, contextLength: 4);
        var all = new Trainer(model, names) { BatchSize = 13 }.Evaluate();
        var some = new Trainer(model, names) { BatchSize = 5 }.Evaluate();
        Assert.Equal(all.Loss, some.Loss, 5);
        Assert.Equal(all.Accuracy, some.Accuracy, 12);
    }

    [Fact]
    public void Bad_data_and_settings_are_refused_with_the_remedy()
    {
        Assert.Contains("has 0 names", Assert.Throws<ArgumentException>(() => new Names([])).Message);
        Assert.Contains("name 2 is “”", Assert.Throws<ArgumentException>(() => new Names(["a", ""])).Message);
        Assert.Contains("there is no file", Assert.Throws<FileNotFoundException>(() => Names.Load("missing.txt")).Message);
        Assert.Contains("'x' at place 1", Assert.Throws<ArgumentException>(() => FewNames.Encode("axb")).Message);
        Assert.Contains($"vocabSize: {FewNames.VocabSize}", Assert.Throws<ArgumentException>(() => new Trainer(new MiniTransformer(5), FewNames)).Message);
        Assert.Contains("contextLength: 7", Assert.Throws<ArgumentException>(() => new Trainer(new MiniTransformer(FewNames.VocabSize, contextLength: 4), FewNames)).Message);
        Assert.Contains("learning rate is 0", Assert.Throws<ArgumentException>(() => new AdamW(0)).Message);
        Assert.Contains("momentum is 1", Assert.Throws<ArgumentException>(() => new Sgd(0.1f, 1)).Message);

        var optimizer = new Adam(0.01f);
        NewTrainer(optimizer: optimizer).Train(1);
        Assert.Contains("another model", Assert.Throws<InvalidOperationException>(() => NewTrainer(optimizer: optimizer).Train(1)).Message);
    }

    [Fact]
    public void Generated_names_end_by_themselves_and_repeat_by_their_seed()
    {
        var trainer = NewTrainer();
        trainer.Train(80);
        var names = trainer.Model.Generate(FewNames, count: 5, temperature: 0.8f, seed: 3);
        Assert.Equal(names, trainer.Model.Generate(FewNames, count: 5, temperature: 0.8f, seed: 3));
        Assert.NotEqual(names, trainer.Model.Generate(FewNames, count: 5, temperature: 0.8f, seed: 4));
        Assert.All(names, name => Assert.DoesNotContain('.', name));
    }

    [Fact]
    public void A_text_is_cut_into_windows_with_the_last_tenth_held_out()
    {
        var text = new CharText(string.Concat(Enumerable.Repeat("to be or not to be, that is the question. ", 20)));
        var model = new MiniTransformer(vocabSize: text.VocabSize, contextLength: 8);
        var trainer = new Trainer(model, text) { FrameEvery = 0, BatchSize = 8 };
        trainer.Train(20);
        Assert.True(trainer.Last!.Loss < text.Baselines[0].Loss);
        Assert.Equal(10, text.ValidationCount);
        Assert.StartsWith("to ", model.Generate(text, "to ", length: 10));
    }

    /// <summary>A frame of a small model shows its weights; of a large one they would be most of the run's memory.</summary>
    [Theory]
    [InlineData(16, true)]
    [InlineData(64, false)]
    public void Frames_of_small_models_hold_the_parameters_numbers(int width, bool holds)
    {
        var trainer = new Trainer(new MiniTransformer(vocabSize: FewNames.VocabSize, modelDim: width, heads: 2, contextLength: 7), FewNames) { BatchSize = 8, FrameEvery = 1 };
        trainer.Train(1);
        Assert.All(trainer.Run.Frames, frame =>
        {
            Assert.Empty(frame.Tape.Contributions);
            Assert.All(frame.Tape.Nodes.Where(n => n.Kind == NodeKind.Parameter), n => Assert.Equal((holds, holds), (n.Value is not null, n.Grad is not null)));
        });
    }

    /// <summary>A run's frames hold their tensors in one array each; a look of the user's has tensors of its own, as it may keep one alone.</summary>
    [Fact]
    public void A_recorded_frame_holds_the_numbers_that_a_look_at_the_same_weights_gives()
    {
        var trainer = NewTrainer(frameEvery: 3);
        trainer.Train(3);
        var (recorded, looked) = (trainer.Run.Frames[^1].Tape.Nodes, trainer.Look(parameterTensors: true).Tape.Nodes);
        trainer.Train(2);

        Assert.Equal(looked.Select(n => (n.Label, n.Shape, n.ValueNorm, n.GradNorm)), recorded.Select(n => (n.Label, n.Shape, n.ValueNorm, n.GradNorm)));
        Assert.All(recorded.Zip(looked), pair =>
        {
            Assert.Equal(pair.Second.Value!.Values, pair.First.Value!.Values);
            Assert.Equal(pair.Second.Grad?.Values.ToArray(), pair.First.Grad?.Values.ToArray());
        });
    }

    private static Trainer NewTrainer(int frameEvery = 50, Optimizer? optimizer = null) =>
        new(new MiniTransformer(vocabSize: FewNames.VocabSize, modelDim: 16, heads: 2, contextLength: 7), FewNames)
        {
            Optimizer = optimizer ?? new AdamW(5e-3f),
            BatchSize = 8,
            Probe = "hanna",
            FrameEvery = frameEvery,
        };
}
