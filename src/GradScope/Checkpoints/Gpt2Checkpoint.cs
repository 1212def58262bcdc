using System.Text.Json;

namespace GradScope;

/// <summary>
/// Reads safetensors files of GPT-2's shape (Radford et al. 2019) into a <see cref="MiniTransformer"/>: Hugging Face's, whose
/// linear maps are (in, out), and nanoGPT's, whose are PyTorch's (out, in). The attention's joint c_attn becomes wq, wk and wv.
/// </summary>
public static class Gpt2Checkpoint
{
    /// <summary>
    /// Reads the model. Sizes, biases and whether the unembedding is tied come from the tensors; the number of heads cannot be read
    /// off them and comes from <paramref name="heads"/> or from n_head of a config.json beside the file.
    /// </summary>
    /// <param name="path">The file, with names such as h.0.attn.c_attn.weight, with or without the prefix transformer.</param>
    /// <param name="heads">Heads a layer; config.json's unless given. GPT-2's have a width of 64.</param>
    /// <param name="activation">
    /// The MLP's nonlinearity; unless given config.json's, and without one GELU tanh for Hugging Face's order, exact GELU for nanoGPT's.
    /// </param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">
    /// The file is damaged or not of GPT-2's shape, a tensor is missing or unknown, or config.json asks for what a
    /// <see cref="MiniTransformer"/> does not do; the message names what.
    /// </exception>
    /// <exception cref="ArgumentException">The number of heads is not known, or does not divide the width.</exception>
    public static MiniTransformer Load(string path, int? heads = null, Activation? activation = null)
    {
        using var file = Safetensors.Open(path);
        var names = new Gpt2Names(file);
        var settings = Gpt2Settings.Beside(path);
        var config = names.Config;
        settings?.Check(config, names.HasHead);
        heads ??= settings?.HeadCount;
        config = config with
        {
            HeadCount = heads ?? throw new ArgumentException($"Gpt2Checkpoint: {path} does not tell its number of heads, and there is no config.json with n_head beside it; give heads: {Math.Max(1, config.ModelDim / 64)} (GPT-2's have a width of 64, and the model's is {config.ModelDim})."),
            Activation = activation ?? settings?.Activation ?? config.Activation,
        };
        config.Validate();
        return new StoredWeights(file, names.OriginOf).Build(config, names.IsIgnored);
    }
}

/// <summary>The names and the order of tensors in a file of GPT-2's shape, and what they tell of the model.</summary>
internal sealed class Gpt2Names
{
    private const string Positions = "wpe.weight";

    private readonly string prefix;
    private readonly string embedding;
    private readonly string head;
    private readonly bool transposed;

    public Gpt2Names(Safetensors file)
    {
        prefix = file.Tensors.FirstOrDefault(entry => entry.Name.EndsWith(Positions, StringComparison.Ordinal))?.Name[..^Positions.Length]
            ?? throw file.Refused($"there is no tensor '{Positions}' or 'transformer.{Positions}', so that it is not of GPT-2's shape. Load a file of GradScope's own with MiniTransformer.Load");
        head = (prefix.EndsWith("transformer.", StringComparison.Ordinal) ? prefix[..^"transformer.".Length] : prefix) + "lm_head.weight";
        HasHead = file.Contains(head);

        // A file may hold tied weights once, under either name.
        embedding = HasHead && !file.Contains($"{prefix}wte.weight") ? head : $"{prefix}wte.weight";
        var tied = !HasHead || embedding == head || file.Read(embedding).Values.SequenceEqual(file.Read(head).Values);

        var positions = Matrix(Positions);
        var dim = positions.Columns;
        var attention = Matrix("h.0.attn.c_attn.weight");
        transposed = attention == [3 * dim, dim];
        if (!transposed && attention != [dim, 3 * dim])
        {
            throw file.Refused($"tensor '{prefix}h.0.attn.c_attn.weight' is {attention}; at a width of {dim} it is ({dim}, {3 * dim}) in GPT-2's files and ({3 * dim}, {dim}) in nanoGPT's. Check that it is such a file");
        }

        var up = Matrix("h.0.mlp.c_fc.weight");
        Config = new()
        {
            VocabSize = MatrixOf(embedding).Rows,
            ModelDim = dim,
            HeadCount = 1,
            LayerCount = Enumerable.Range(1, file.Tensors.Length).First(i => !file.Contains($"{prefix}h.{i}.ln_1.weight")),
            ContextLength = positions.Rows,
            MlpDim = transposed ? up.Rows : up.Columns,
            Activation = transposed ? Activation.Gelu : Activation.GeluTanh,
            Biases = file.Contains($"{prefix}h.0.attn.c_attn.bias"),
            TiedEmbeddings = tied,
        };

        Shape Matrix(string name) => MatrixOf(prefix + name);

        Shape MatrixOf(string name)
        {
            if (!file.Contains(name))
            {
                throw file.Refused($"there is no tensor '{name}', so that it is not of GPT-2's shape. Load a file of GradScope's own with MiniTransformer.Load");
            }

            var shape = file.ShapeOf(name);
            return shape.Rank == 2 ? shape : throw file.Refused($"tensor '{name}' is {shape}; in a file of GPT-2's shape it has 2 dimensions. Check that it is such a file");
        }
    }

    /// <summary>What the tensors tell; the number of heads is not among it.</summary>
    public TransformerConfig Config { get; }

    /// <summary>Whether the file holds an unembedding under its own name.</summary>
    public bool HasHead { get; }

    /// <summary>Where a parameter of ours stands.</summary>
    public WeightOrigin OriginOf(string name) => name.Split('.') switch
    {
        ["embed", _] => new(embedding),
        ["pos_embed", _] => new(prefix + Positions),
        ["ln_final", var kind] => new($"{prefix}ln_f.{kind}"),
        ["unembed", _] => new(head, Transposed: true),
        [_, var i, "ln1", var kind] => new($"{prefix}h.{i}.ln_1.{kind}"),
        [_, var i, "ln2", var kind] => new($"{prefix}h.{i}.ln_2.{kind}"),
        [_, var i, "attn", "wq", var kind] => new($"{prefix}h.{i}.attn.c_attn.{kind}", transposed, 0, 3),
        [_, var i, "attn", "wk", var kind] => new($"{prefix}h.{i}.attn.c_attn.{kind}", transposed, 1, 3),
        [_, var i, "attn", "wv", var kind] => new($"{prefix}h.{i}.attn.c_attn.{kind}", transposed, 2, 3),
        [_, var i, "attn", _, var kind] => new($"{prefix}h.{i}.attn.c_proj.{kind}", transposed),
        [_, var i, _, "up", var kind] => new($"{prefix}h.{i}.mlp.c_fc.{kind}", transposed),
        [_, var i, _, _, var kind] => new($"{prefix}h.{i}.mlp.c_proj.{kind}", transposed),
        _ => throw new ArgumentException($"Gpt2Names: {name} has no name in GPT-2."),
    };

    /// <summary>Whether a tensor needs no place: the causal mask that older files hold, or an unembedding that is the embedding.</summary>
    public bool IsIgnored(string name) =>
        name.EndsWith(".attn.bias", StringComparison.Ordinal) || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal) || (name == head && Config.TiedEmbeddings);
}

/// <summary>What a Hugging Face config.json says about a GPT-2.</summary>
internal sealed class Gpt2Settings
{
    private readonly string path;
    private readonly JsonElement root;

    private Gpt2Settings(string path, JsonElement root) => (this.path, this.root) = (path, root);

    /// <summary>n_head; null where it is not told.</summary>
    public int? HeadCount => Find("n_head") is not { } value
        ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var count) ? count : throw Refused("n_head", value, "a whole number");

    /// <summary>activation_function; null where it is not told.</summary>
    public Activation? Activation => Find("activation_function") is not { } value
        ? null
        : value.ToString() switch
        {
            "gelu" => GradScope.Activation.Gelu,
            "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" => GradScope.Activation.GeluTanh,
            "relu" => GradScope.Activation.Relu,
            _ => throw Refused("activation_function", value, "gelu, gelu_new or relu"),
        };

    /// <summary>The config.json in the folder of a file; null where there is none.</summary>
    /// <exception cref="InvalidDataException">It is not a JSON object.</exception>
    public static Gpt2Settings? Beside(string file)
    {
        var path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "config.json");
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new(path, document.RootElement.Clone())
                : throw new JsonException("it is not an object");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"Gpt2Checkpoint: {path}: it cannot be read ({e.Message.TrimEnd('.')}). Repair it, or move it away and give heads.", e);
        }
    }

    /// <exception cref="InvalidDataException">It contradicts the tensors, or asks for what a <see cref="MiniTransformer"/> does not do.</exception>
    public void Check(TransformerConfig config, bool hasHead)
    {
        Require("model_type", "gpt2");
        Require("vocab_size", config.VocabSize);
        Require("n_embd", config.ModelDim);
        Require("n_layer", config.LayerCount);
        Require("n_positions", config.ContextLength);
        Require("n_inner", config.HiddenDim);
        Require("layer_norm_epsilon", 1e-5);
        Require("scale_attn_weights", true);
        Require("scale_attn_by_inverse_layer_idx", false);
        if (!hasHead)
        {
            Require("tie_word_embeddings", true);
        }
    }

    private void Require(string key, object wanted)
    {
        if (Find(key) is { } value && !(value.ValueKind == JsonValueKind.Number && wanted is int or double
            ? value.GetDouble() == Convert.ToDouble(wanted)
            : value.ToString() == wanted.ToString()))
        {
            throw Refused(key, value, FormattableString.Invariant($"{wanted}"));
        }
    }

    private JsonElement? Find(string key) =>
        root.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private InvalidDataException Refused(string key, JsonElement value, string wanted) =>
        new($"Gpt2Checkpoint: {path}: {key} is {value}, but the tensors beside it or a MiniTransformer need {wanted}. Check that the two files belong together; without config.json, heads and activation can be given.");
}
