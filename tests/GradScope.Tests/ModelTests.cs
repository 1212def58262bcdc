namespace GradScope.Tests;

public class ModelTests
{
    private static readonly TransformerConfig Base = new()
    {
        VocabSize = 7,
        ModelDim = 8,
        HeadCount = 2,
        LayerCount = 2,
        ContextLength = 5,
        InitScale = 0.3f,
    };

    [Fact]
    public void The_simplest_call_makes_a_whole_transformer()
    {
        var model = new MiniTransformer(vocabSize: 10, modelDim: 16, heads: 2);
        var tape = model.Record([[1, 2, 3]], [[2, 3, 4]]);
        tape.Backward(tape["loss"]);

        Assert.Equal([1, 3, 10], tape["logits"].Shape);
        Assert.All(model.Parameters, p => Assert.True(p.Grad.Norm() > 0 || p.Name.EndsWith("wk.bias"), p.Name));
        Assert.Equal(Math.Log(10), (float)tape["loss"].Value, 1);
    }

    public static TheoryData<string, TransformerConfig> Options => new()
    {
        { "layers", Base with { LayerCount = 1 } },
        { "MLP width", Base with { MlpDim = 12 } },
        { "attention only", Base with { MlpDim = 0 } },
        { "GELU tanh", Base with { Activation = Activation.GeluTanh } },
        { "ReLU", Base with { Activation = Activation.Relu } },
        { "RMSNorm", Base with { Norm = Norm.RmsNorm, Biases = false } },
        { "no norm", Base with { Norm = Norm.None } },
        { "post-norm", Base with { NormPlacement = NormPlacement.Post } },
        { "sinusoidal", Base with { Positions = Positions.Sinusoidal } },
        { "no positions", Base with { Positions = Positions.None } },
        { "full attention", Base with { Causal = false } },
        { "no biases", Base with { Biases = false } },
        { "tied", Base with { TiedEmbeddings = true } },
        { "heads", Base with { HeadCount = 4 } },
        { "scale", Base with { InitScale = 0.2f } },
        { "seed", Base with { Seed = 2 } },
    };

    [Theory]
    [MemberData(nameof(Options))]
    public void Each_option_changes_the_result_and_keeps_its_gradients_right(string option, TransformerConfig config)
    {
        var reference = Record(Base);
        var tape = Record(config);
        Assert.NotEqual(reference["loss"].Value.Values[0], tape["loss"].Value.Values[0]);
        tape.Backward(tape["loss"]);
        var check = tape.CheckGradients();
        Assert.True(check.Passed, option + "\n" + string.Join("\n", check.Rows.Where(r => !r.Passed)));
    }

    [Fact]
    public void Dropout_changes_training_alone_and_repeats_by_its_seed()
    {
        var config = Base with { Dropout = 0.2f };
        Assert.Equal(LossOf(Base, training: false), LossOf(config, training: false));
        Assert.NotEqual(LossOf(config, training: false), LossOf(config, training: true));
        Assert.Equal(LossOf(config, training: true), LossOf(config, training: true));

        static float LossOf(TransformerConfig config, bool training)
        {
            var tape = new Tape();
            var model = new MiniTransformer(config);
            var logits = model.Forward(tape, tape.Constant(new Tensor([1, 4], 1, 2, 3, 4)), training);
            return (float)logits.CrossEntropy(tape.Constant(new Tensor([1, 4], 2, 3, 4, 5))).Value;
        }
    }

    [Fact]
    public void A_causal_model_does_not_look_ahead_and_a_full_one_does()
    {
        Assert.Equal(FirstRow(Base, 3), FirstRow(Base, 4));
        Assert.NotEqual(FirstRow(Base with { Causal = false }, 3), FirstRow(Base with { Causal = false }, 4));

        static float[] FirstRow(TransformerConfig config, int last) =>
            new MiniTransformer(config).Record([[1, 2, last]])["logits"].Value.Slice(0).Slice(0).Values.ToArray();
    }

    [Fact]
    public void Parameters_are_counted_by_the_formula()
    {
        var model = new MiniTransformer(new TransformerConfig { VocabSize = 65, ModelDim = 64, HeadCount = 4, LayerCount = 2, ContextLength = 32 });
        const int attention = 4 * (64 * 64 + 64), mlp = 64 * 256 + 256 + 256 * 64 + 64, norms = 2 * 2 * 64;
        Assert.Equal(65 * 64 + 32 * 64 + 2 * (attention + mlp + norms) + 2 * 64 + 64 * 65, model.ParameterCount);
        Assert.Equal(attention, Recorder.Capture(model).CountBelow("blocks.1.attn"));
    }

    [Fact]
    public void Contradictory_configurations_are_refused_with_what_and_why()
    {
        AssertError("HeadCount 3 does not divide ModelDim 8", Base with { HeadCount = 3 });
        AssertError("VocabSize is 0", Base with { VocabSize = 0 });
        AssertError("LayerCount is -1", Base with { LayerCount = -1 });
        AssertError("ContextLength is 0", Base with { ContextLength = 0 });
        AssertError("MlpDim is -4", Base with { MlpDim = -4 });
        AssertError("Dropout 1", Base with { Dropout = 1 });
        AssertError("Norm 9 does not exist; choose one of LayerNorm, RmsNorm, None", Base with { Norm = (Norm)9 });
        AssertError("HeadCount is 0", Base with { HeadCount = 0 });
        AssertError("InitScale NaN", Base with { InitScale = float.NaN });
        AssertError("even ModelDim", Base with { Positions = Positions.Sinusoidal, ModelDim = 9, HeadCount = 3 });

        static void AssertError(string part, TransformerConfig config) =>
            Assert.Contains(part, Assert.Throws<ArgumentException>(() => new MiniTransformer(config)).Message);
    }

    [Fact]
    public void Tokens_that_do_not_fit_are_refused_with_their_place()
    {
        var model = new MiniTransformer(Base);
        AssertError("token id 7 at place 1 is outside the vocabulary, which is 0 to 6", () => model.Record([[0, 7]]));
        AssertError("has 6 tokens, but the model's ContextLength is 5", () => model.Record([[0, 1, 2, 3, 4, 5]]));
        AssertError("no tokens", () => model.Record([]));
        AssertError("sequence 1 of tokens has 1 ids, but the first has 2", () => model.Record([[1, 2], [1]]));
        AssertError("prompt is empty", () => model.Generate([], 3));
        Assert.Contains("no parameter is named 'embed'", Assert.Throws<KeyNotFoundException>(() => model["embed"]).Message);

        static void AssertError(string part, Func<object> action) =>
            Assert.Contains(part, Assert.Throws<ArgumentException>(action).Message);
    }

    private static Tape Record(TransformerConfig config)
    {
        var model = new MiniTransformer(config);
        foreach (var bias in model.Parameters.Where(p => p.Name.EndsWith(".bias", StringComparison.Ordinal)))
        {
            bias.Set(Tensor.Normal(bias.Shape, 5, 0.1f));
        }

        return model.Record([[1, 2, 3, 4, 5], [6, 0, 1, 1, 2]], [[2, 3, 4, 5, 6], [0, 1, -1, 2, 2]]);
    }
}
