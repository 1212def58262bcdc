namespace GradScope.Tests;

public class FreezingTests
{
    private static readonly int[][] tokens = [[1, 2, 3, 4], [4, 3, 2, 1]], targets = [[2, 3, 4, 5], [3, 2, 1, 0]];
    private static readonly Names fewNames = new(["anna", "hanna", "anton", "nathan", "hana", "tan", "nora", "toni", "ron", "arno", "ina", "ona"]);

    public static TheoryData<string> Patterns =>
        ["*", "embed.*", "pos_embed.weight", "blocks.0.*", "blocks.1.attn.*", "*.bias", "*.ln?.*", "blocks.?.attn.wq.*", "unembed.weight", "blocks.1.mlp.up.weight"];

    [Theory]
    [MemberData(nameof(Patterns))]
    public void Frozen_parameters_get_no_gradient_and_all_others_the_same_to_the_bit(string pattern)
    {
        var (free, model) = (NewModel(), NewModel());
        Backward(free);
        model.Freeze(pattern);
        if (pattern == "*")
        {
            Assert.Contains("every parameter that leads to loss is frozen", Assert.Throws<InvalidOperationException>(() => Backward(model)).Message);
            return;
        }

        Backward(model);
        Assert.Contains(model.Parameters, p => p.IsFrozen);
        foreach (var parameter in model.Parameters)
        {
            Assert.Equal(parameter.IsFrozen, !parameter.HasGrad);
            if (parameter.IsFrozen)
            {
                Assert.Contains($"{parameter.Name} is frozen", Assert.Throws<InvalidOperationException>(() => parameter.Grad).Message);
                Assert.All(parameter.GradBuffer.Span.ToArray(), x => Assert.Equal(0, x));
            }
            else
            {
                Assert.Equal(free[parameter.Name].Grad.Values.ToArray(), parameter.Grad.Values.ToArray());
            }
        }
    }

    [Fact]
    public void What_leads_to_frozen_parameters_alone_is_not_computed()
    {
        var model = NewModel();
        foreach (var pattern in (string[])["embed.*", "pos_embed.*", "blocks.0.*"])
        {
            model.Freeze(pattern);
        }

        var visited = new Visitor();
        var tape = model.Record(tokens, targets);
        tape.Backward(tape["loss"], visited);
        Assert.DoesNotContain("blocks.0.attn.z", visited.Names);
        Assert.DoesNotContain("blocks.0.resid_post", visited.Names);
        Assert.Contains("blocks.1.attn.z", visited.Names);
        Assert.False(tape["blocks.0.resid_post"].RequiresGrad);
    }

    /// <summary>Adam's first update is lr·g/(|g| + ε) (Kingma and Ba 2015, with t = 1), whenever it comes; PyTorch counts per parameter too.</summary>
    [Fact]
    public void Adam_counts_the_updates_of_each_parameter_alone()
    {
        var model = new MiniTransformer(fewNames.VocabSize, contextLength: 8);
        var trainer = new Trainer(model, fewNames) { Optimizer = new Adam(1e-3f), BatchSize = 4, ValidationEvery = 0 };
        model.Freeze("unembed.weight");
        trainer.Train(5);
        model.Unfreeze("unembed.weight");
        var before = model["unembed.weight"].Value.Values.ToArray();

        trainer.Train(1);

        var gradient = model["unembed.weight"].Grad.Values.ToArray();
        var after = model["unembed.weight"].Value.Values.ToArray();
        Assert.Contains(gradient, g => Math.Abs(g) > 1e-3);
        for (var i = 0; i < after.Length; i++)
        {
            Assert.Equal(1e-3 * gradient[i] / (Math.Abs(gradient[i]) + 1e-8), before[i] - after[i], 1e-6);
        }
    }

    [Fact]
    public void A_recorded_tape_follows_from_its_next_pass_on()
    {
        var (free, model) = (NewModel(), NewModel());
        Backward(free);
        var tape = model.Record(tokens, targets);
        model.Freeze("blocks.0.*");
        tape.Backward(tape["loss"]);
        Assert.False(model["blocks.0.mlp.up.weight"].HasGrad);
        Assert.Contains("blocks.0.mlp.up.weight is frozen", Assert.Throws<InvalidOperationException>(() => tape["blocks.0.mlp.up.weight"].Grad).Message);

        model.Unfreeze("*");
        Assert.False(model["blocks.0.mlp.up.weight"].HasGrad);
        tape.Replay();
        tape.Backward(tape["loss"]);
        Assert.Equal(free["blocks.0.mlp.up.weight"].Grad.Values.ToArray(), model["blocks.0.mlp.up.weight"].Grad.Values.ToArray());
        Assert.Equal(free["embed.weight"].Grad.Values.ToArray(), model["embed.weight"].Grad.Values.ToArray());
    }

    [Fact]
    public void Training_leaves_frozen_parameters_as_they_are_and_changes_the_others()
    {
        var trainer = new Trainer(new MiniTransformer(fewNames.VocabSize, contextLength: 8), fewNames) { Optimizer = new AdamW(1e-2f, weightDecay: 0.5f), BatchSize = 4 };
        trainer.Train(3);
        trainer.Model.Freeze("blocks.0.attn.*");
        var before = trainer.Model.Parameters.ToDictionary(p => p.Name, p => p.Value.Values.ToArray());
        trainer.Train(5);
        Assert.All(trainer.Model.Parameters, p => Assert.Equal(p.Name.StartsWith("blocks.0.attn.", StringComparison.Ordinal), before[p.Name].AsSpan().SequenceEqual(p.Value.Values)));

        var run = trainer.Run;
        var norm = run.GradientNorms[^1][run.ParameterNames.IndexOf("blocks.0.attn.wq.weight")];
        Assert.Equal(0, norm);
        Assert.True(run.Model.Parameters.Single(p => p.Name == "blocks.0.attn.wq.weight").IsFrozen);
        Assert.Contains(" of them frozen", trainer.Model.ToString());

        trainer.Model.Unfreeze("*");
        trainer.Train(1);
        Assert.False(before["blocks.0.attn.wq.weight"].AsSpan().SequenceEqual(trainer.Model["blocks.0.attn.wq.weight"].Value.Values));
        Assert.DoesNotContain("frozen", trainer.Model.ToString());
    }

    [Fact]
    public void Frames_tell_what_is_frozen()
    {
        var trainer = new Trainer(new MiniTransformer(fewNames.VocabSize, contextLength: 8), fewNames);
        trainer.Model.Freeze("embed.*").Freeze("pos_embed.*").Freeze("blocks.0.*");
        var frame = trainer.Look("anna");
        Assert.True(frame.Tape["embed.weight"].IsFrozen);
        Assert.Null(frame.Tape["embed.weight"].GradNorm);
        Assert.False(frame.Tape["blocks.1.ln1.weight"].IsFrozen);
        Assert.Null(frame.GradientFlow().Stations[0].GradNorm);
        Assert.NotNull(frame.GradientFlow().Stations[^1].GradNorm);

        trainer.Model.Freeze("*");
        Assert.False(trainer.Look("anna").Tape.BackwardHasRun);
        Assert.Contains("every parameter", Assert.Throws<InvalidOperationException>(() => trainer.Train(1)).Message);
    }

    [Fact]
    public void A_pattern_that_matches_nothing_is_refused_by_name()
    {
        var model = NewModel();
        Assert.StartsWith("Freeze: no parameter matches 'blocks.7.*'; the names are embed.weight, ", Assert.Throws<ArgumentException>(() => model.Freeze("blocks.7.*")).Message);
        Assert.StartsWith("Unfreeze: no parameter matches 'EMBED.*'", Assert.Throws<ArgumentException>(() => model.Unfreeze("EMBED.*")).Message);
        Assert.DoesNotContain(model.Parameters, p => p.IsFrozen);
    }

    [Fact]
    public void With_backprop_off_the_loss_is_measured_and_nothing_learns()
    {
        var trainer = new Trainer(new MiniTransformer(fewNames.VocabSize, contextLength: 8), fewNames) { BatchSize = 4, ValidationEvery = 2 };
        var twin = new Trainer(new MiniTransformer(fewNames.VocabSize, contextLength: 8), fewNames) { BatchSize = 4, ValidationEvery = 2 };
        trainer.Backprop = false;
        var before = trainer.Model.Parameters.SelectMany(p => p.Value.Values.ToArray()).ToArray();
        var frame = trainer.Step();
        trainer.Train(3);

        Assert.Equal(4, trainer.Steps);
        Assert.Equal(before, trainer.Model.Parameters.SelectMany(p => p.Value.Values.ToArray()));
        Assert.False(frame.Tape.BackwardHasRun);
        Assert.False(frame.Attention().BackwardHasRun);
        Assert.All(trainer.Run.Metrics, m => Assert.Equal((0, 0, 0), (m.GradientNorm, m.LearningRate, m.UpdateRatio)));
        Assert.NotNull(trainer.Run.Metrics[1].ValidationLoss);
        Assert.Equal(0, trainer.Optimizer.Updates);
        Assert.False(trainer.Model["embed.weight"].HasGrad);

        // The first step's loss is that of a learning trainer: the same examples, the same weights.
        twin.Train(1);
        Assert.Equal(twin.Last!.Loss, trainer.Run.Metrics[0].Loss);

        trainer.Backprop = true;
        Assert.True(trainer.Step().Tape.BackwardHasRun);
        Assert.NotEqual(0, trainer.Last!.UpdateRatio);
    }

    private static MiniTransformer NewModel() => new(vocabSize: 6, modelDim: 8, heads: 2, layers: 2, contextLength: 6);

    private static void Backward(MiniTransformer model)
    {
        var tape = model.Record(tokens, targets);
        tape.Backward(tape["loss"]);
    }

    private sealed class Visitor : ITapeVisitor
    {
        public List<string> Names { get; } = [];

        public void AfterForward(Node node)
        {
        }

        public void AfterBackward(Node node) => Names.Add(node.Name ?? "");
    }
}
