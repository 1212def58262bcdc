namespace GradScope.Tests.Checkpoints;

public sealed class ModelFileTests : IDisposable
{
    private static readonly TransformerConfig Base = new()
    {
        VocabSize = 7,
        ModelDim = 8,
        HeadCount = 2,
        LayerCount = 2,
        ContextLength = 5,
        InitScale = 0.3f,
        Seed = ulong.MaxValue,
    };

    private readonly Scratch scratch = new();

    public void Dispose() => scratch.Dispose();

    public static TheoryData<string, TransformerConfig> Options => new()
    {
        { "plain", Base },
        { "attention only", Base with { MlpDim = 0 } },
        { "post-norm, ReLU", Base with { NormPlacement = NormPlacement.Post, Activation = Activation.Relu } },
        { "RMSNorm, no biases, tied", Base with { Norm = Norm.RmsNorm, Biases = false, TiedEmbeddings = true } },
        { "sinusoidal, full, dropout", Base with { Positions = Positions.Sinusoidal, Causal = false, Dropout = 0.1f } },
        { "no norm, no positions", Base with { Norm = Norm.None, Positions = Positions.None } },
    };

    [Theory]
    [MemberData(nameof(Options))]
    public void A_saved_model_loads_with_its_options_and_weights(string option, TransformerConfig config)
    {
        var path = scratch.PathOf(option + ".safetensors");
        var model = new MiniTransformer(config);
        model.Save(path);
        var loaded = MiniTransformer.Load(path);

        Assert.Equal(config, loaded.Config);
        Assert.Equal(model.Parameters.Select(p => p.Name), loaded.Parameters.Select(p => p.Name));
        Assert.All(model.Parameters, p => Assert.Equal(p.Value.Values.ToArray(), loaded[p.Name].Value.Values.ToArray()));
        Assert.Equal(Logits(model), Logits(loaded));
    }

    [Fact]
    public void Longer_sequences_after_shorter_ones_have_their_sinusoids()
    {
        var config = Base with { Positions = Positions.Sinusoidal };
        var model = new MiniTransformer(config);
        model.Record([[1, 2]]);
        Assert.Equal(Logits(new MiniTransformer(config)), Logits(model));
    }

    [Fact]
    public void A_file_without_configuration_needs_one()
    {
        var model = new MiniTransformer(Base);
        var path = scratch.PathOf("x.safetensors");
        Safetensors.Write(path, model.Parameters.Select(p => KeyValuePair.Create(p.Name, p.Value)));

        Refused("metadata has no 'gradscope.config'. Give the configuration", () => MiniTransformer.Load(path));
        Assert.Equal(Logits(model), Logits(MiniTransformer.Load(path, Base)));
        Refused("tensor 'blocks.1.ln1.weight' has no place", () => MiniTransformer.Load(path, Base with { LayerCount = 1 }));
        Refused("there is no tensor 'blocks.2.ln1.weight'", () => MiniTransformer.Load(path, Base with { LayerCount = 3 }));
        Refused("tensor 'embed.weight' is (7, 8), but", () => MiniTransformer.Load(path, Base with { VocabSize = 9 }));
        Assert.Throws<ArgumentException>(() => MiniTransformer.Load(path, Base with { HeadCount = 3 }));
    }

    [Theory]
    [InlineData("{}", "cannot be read")]
    [InlineData("null", "cannot be read")]
    [InlineData("""{"VocabSize":7""", "cannot be read")]
    [InlineData("""{"VocabSize":7,"Magic":1}""", "Magic")]
    [InlineData("""{"VocabSize":7,"VocabSize":7}""", "cannot be read")]
    [InlineData("""{"VocabSize":7,"Activation":99}""", "cannot be read")]
    [InlineData("""{"VocabSize":7,"HeadCount":3}""", "HeadCount 3 does not divide ModelDim 16")]
    [InlineData("""{"VocabSize":16000000,"ModelDim":1000000}""", "tensor 'embed.weight' is (7, 8)")]
    [InlineData("""{"VocabSize":7,"ModelDim":8,"LayerCount":2000000000}""", "2000000000 layers")]
    [InlineData("""{"VocabSize":7,"ModelDim":8,"LayerCount":25,"ContextLength":5}""", "'blocks.2.ln1.weight'")]
    [InlineData("""{"VocabSize":7,"ModelDim":8,"ContextLength":2000000000}""", "tensor 'pos_embed.weight' is (5, 8)")]
    [InlineData("""{"VocabSize":7,"ModelDim":8,"MlpDim":2000000000,"ContextLength":5}""", "'blocks.0.mlp.up.weight'")]
    public void A_lying_configuration_is_refused_before_anything_large_is_allocated(string config, string message)
    {
        var path = scratch.PathOf("x.safetensors");
        var tensors = new MiniTransformer(Base).Parameters.Select(p => KeyValuePair.Create(p.Name, p.Value)).ToArray();
        Safetensors.Write(path, tensors, new Dictionary<string, string> { ["gradscope.config"] = config });
        Refused(message, () => MiniTransformer.Load(path));

        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(message, () => MiniTransformer.Load(path));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 500_000);
    }

    private static float[] Logits(MiniTransformer model) => model.Record([[1, 2, 3, 4, 5]])["logits"].Value.Values.ToArray();

    private static void Refused(string message, Func<object> load) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(load).Message);
}
