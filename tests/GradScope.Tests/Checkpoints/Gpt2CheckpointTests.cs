using System.Text.Json;
using GradScope.Tests.Parity;

namespace GradScope.Tests.Checkpoints;

public sealed class Gpt2CheckpointTests : IDisposable
{
    private readonly Scratch scratch = new();

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData("gpt2", null, Activation.GeluTanh, true, true)]
    [InlineData("nanogpt", 2, Activation.Gelu, false, true)]
    [InlineData("untied", 2, Activation.Gelu, true, false)]
    public void A_checkpoint_gives_PyTorchs_logits(string name, int? heads, Activation activation, bool biases, bool tied)
    {
        var model = Gpt2Checkpoint.Load(Scratch.Given($"{name}/model.safetensors"), heads);

        Assert.Equal(
            new TransformerConfig
            {
                VocabSize = 11,
                ModelDim = 8,
                HeadCount = 2,
                LayerCount = 2,
                ContextLength = 6,
                MlpDim = 32,
                Activation = activation,
                Biases = biases,
                TiedEmbeddings = tied,
            },
            model.Config);
        CheckLogits(model, name);
    }

    [Fact]
    public void A_loaded_checkpoint_saves_and_loads_as_our_own()
    {
        var path = scratch.PathOf("own.safetensors");
        Gpt2Checkpoint.Load(Scratch.Given("gpt2/model.safetensors")).Save(path);
        CheckLogits(MiniTransformer.Load(path), "gpt2");
    }

    [Fact]
    public void Tied_weights_may_stand_there_once_under_either_name()
    {
        CheckLogits(Gpt2Checkpoint.Load(Copy("nanogpt", without: "lm_head.weight"), heads: 2), "nanogpt");
        CheckLogits(Gpt2Checkpoint.Load(Copy("nanogpt", without: "transformer.wte.weight"), heads: 2), "nanogpt");
    }

    [Fact]
    public void A_missing_tensor_is_named() => Refused("there is no tensor 'transformer.h.1.mlp.c_proj.weight'", () =>
        Gpt2Checkpoint.Load(Copy("nanogpt", without: "transformer.h.1.mlp.c_proj.weight"), heads: 2));

    [Fact]
    public void A_missing_bias_is_named() => Refused("there is no tensor '_orig_mod.transformer.h.0.ln_2.bias'", () =>
        Gpt2Checkpoint.Load(Copy("untied", without: "_orig_mod.transformer.h.0.ln_2.bias"), heads: 2));

    [Fact]
    public void A_missing_layer_is_named() => Refused("tensor 'transformer.h.1.", () =>
        Gpt2Checkpoint.Load(Copy("nanogpt", without: "transformer.h.1.ln_1.weight"), heads: 2));

    [Fact]
    public void An_unknown_tensor_is_named() => Refused("tensor 'transformer.h.0.crossattention.q_attn.weight' has no place", () =>
        Gpt2Checkpoint.Load(Copy("nanogpt", with: new("transformer.h.0.crossattention.q_attn.weight", Tensor.Zeros([8, 8]))), heads: 2));

    [Fact]
    public void A_tensor_of_another_shape_is_named() => Refused("tensor 'transformer.ln_f.weight' is (9), but", () =>
        Gpt2Checkpoint.Load(Copy("nanogpt", without: "transformer.ln_f.weight", with: new("transformer.ln_f.weight", Tensor.Zeros([9]))), heads: 2));

    [Fact]
    public void An_attention_of_neither_order_is_named() => Refused("tensor 'transformer.h.0.attn.c_attn.weight' is (8, 23); at a width of 8 it is (8, 24)", () =>
        Gpt2Checkpoint.Load(Copy("nanogpt", without: "transformer.h.0.attn.c_attn.weight", with: new("transformer.h.0.attn.c_attn.weight", Tensor.Zeros([8, 23]))), heads: 2));

    [Fact]
    public void A_file_of_another_kind_is_refused() => Refused("not of GPT-2's shape", () =>
        Gpt2Checkpoint.Load(Scratch.Given("types.safetensors")));

    [Fact]
    public void Heads_must_be_known_and_divide_the_width()
    {
        var unknown = Assert.Throws<ArgumentException>(() => Gpt2Checkpoint.Load(Scratch.Given("nanogpt/model.safetensors")));
        Assert.Contains("give heads", unknown.Message);
        var wrong = Assert.Throws<ArgumentException>(() => Gpt2Checkpoint.Load(Scratch.Given("nanogpt/model.safetensors"), heads: 3));
        Assert.Contains("HeadCount 3 does not divide ModelDim 8", wrong.Message);
    }

    [Theory]
    [InlineData("layer_norm_epsilon", "1e-6", "layer_norm_epsilon is 1e-6")]
    [InlineData("scale_attn_weights", "false", "scale_attn_weights is False")]
    [InlineData("scale_attn_by_inverse_layer_idx", "true", "scale_attn_by_inverse_layer_idx is True")]
    [InlineData("activation_function", "\"swish\"", "activation_function is swish")]
    [InlineData("n_layer", "12", "n_layer is 12")]
    [InlineData("n_head", "\"two\"", "n_head is two")]
    [InlineData("tie_word_embeddings", "false", "tie_word_embeddings is False")]
    [InlineData("model_type", "\"gptj\"", "model_type is gptj")]
    public void What_the_configuration_asks_for_and_is_not_done_is_refused(string key, string value, string message) =>
        Refused(message, () => Gpt2Checkpoint.Load(Copy("gpt2", config: $$"""{"n_head": 2, "{{key}}": {{value}}}""")));

    [Fact]
    public void A_broken_configuration_is_refused() => Refused("config.json: it cannot be read", () =>
        Gpt2Checkpoint.Load(Copy("gpt2", config: "{\"n_head\": 2")));

    [Fact]
    public void What_is_given_counts_before_the_configuration()
    {
        var model = Gpt2Checkpoint.Load(Copy("gpt2", config: """{"n_head": 2, "activation_function": "relu"}"""), heads: 4, activation: Activation.Gelu);
        Assert.Equal((4, Activation.Gelu), (model.Config.HeadCount, model.Config.Activation));
        Assert.Equal(Activation.Relu, Gpt2Checkpoint.Load(scratch.PathOf("model.safetensors")).Config.Activation);
    }

    private static void CheckLogits(MiniTransformer model, string name)
    {
        using var expected = JsonDocument.Parse(File.ReadAllText(Scratch.Given($"{name}/logits.json")));
        var tokens = expected.RootElement.GetProperty("tokens").Deserialize<int[][]>()!;
        var tape = model.Record(tokens);
        Closeness.Check(name, tape["logits"].Value, new(
            expected.RootElement.GetProperty("shape").Deserialize<int[]>()!,
            expected.RootElement.GetProperty("values").Deserialize<double?[]>()!));
    }

    private static void Refused(string message, Func<MiniTransformer> load)
    {
        var error = Assert.Throws<InvalidDataException>(load);
        Assert.Contains(message, error.Message);
    }

    /// <summary>A checkpoint with a tensor less or more, and perhaps a config.json; buffers stay out.</summary>
    private string Copy(string name, string? without = null, KeyValuePair<string, Tensor>? with = null, string? config = null)
    {
        using var file = Safetensors.Open(Scratch.Given($"{name}/model.safetensors"));
        var tensors = file.Tensors.Where(t => t.Name != without && t.DType == "F32").Select(t => KeyValuePair.Create(t.Name, file.Read(t.Name))).ToList();
        if (with is { } added)
        {
            tensors.Add(added);
        }

        if (config is not null)
        {
            File.WriteAllText(scratch.PathOf("config.json"), config);
        }

        Safetensors.Write(scratch.PathOf("model.safetensors"), tensors);
        return scratch.PathOf("model.safetensors");
    }
}
