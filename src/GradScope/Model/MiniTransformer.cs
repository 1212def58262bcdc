using System.Collections.Immutable;

namespace GradScope;

/// <summary>
/// A transformer language model (Vaswani et al. 2017; decoder-only where causal, as GPT-2): embedding, blocks on a residual
/// stream, unembedding. <c>new MiniTransformer(vocabSize: 10, modelDim: 16, heads: 2)</c> is a whole one; everything else is
/// in <see cref="TransformerConfig"/>.
/// </summary>
public sealed partial class MiniTransformer
{
    private readonly ParameterStore store;
    private readonly Parameter embedding;
    private readonly Parameter? positionEmbedding;
    private readonly NormLayer? finalNorm;
    private readonly Linear? unembedding;
    private Tensor? sinusoids;

    /// <summary>A model with the most asked-for sizes; <see cref="TransformerConfig"/> tells their meaning.</summary>
    /// <exception cref="ArgumentException">A size is out of range, or the heads do not divide the width.</exception>
    public MiniTransformer(int vocabSize, int modelDim = 16, int heads = 2, int layers = 2, int contextLength = 32, ulong seed = 1)
        : this(new TransformerConfig
        {
            VocabSize = vocabSize,
            ModelDim = modelDim,
            HeadCount = heads,
            LayerCount = layers,
            ContextLength = contextLength,
            Seed = seed,
        })
    {
    }

    /// <summary>A model with random weights.</summary>
    /// <exception cref="ArgumentException">The configuration contradicts itself; the message names what.</exception>
    public MiniTransformer(TransformerConfig config)
        : this(config, weights: null)
    {
    }

    internal MiniTransformer(TransformerConfig config, WeightSource? weights)
    {
        config.Validate();
        Config = config;
        store = new(weights);
        embedding = store.Add("embed.weight", [config.VocabSize, config.ModelDim], 0, config.InitScale);
        if (config.Positions == Positions.Learned)
        {
            positionEmbedding = store.Add("pos_embed.weight", [config.ContextLength, config.ModelDim], 0, config.InitScale);
        }

        Blocks = [.. Enumerable.Range(0, config.LayerCount).Select(i => new Block(store, i, config))];
        finalNorm = config.NormPlacement == NormPlacement.Pre ? new(store, "ln_final", config) : null;
        unembedding = config.TiedEmbeddings ? null : new(store, "unembed", config.ModelDim, config.VocabSize, bias: false, config.InitScale);
        store.Seal(config.Seed);
    }

    /// <summary>Its shape and options.</summary>
    public TransformerConfig Config { get; }

    /// <summary>Its blocks, in order.</summary>
    public ImmutableArray<Block> Blocks { get; }

    /// <summary>Everything it learns, in forward order.</summary>
    public IReadOnlyList<Parameter> Parameters => store.Parameters;

    /// <summary>How many numbers it learns.</summary>
    public int ParameterCount => Parameters.Sum(p => p.Shape.ElementCount);

    internal ParameterStore Store => store;

    /// <summary>The parameter of that name, such as blocks.0.attn.wq.weight.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public Parameter this[string name] => Parameters.FirstOrDefault(p => p.Name == name)
        ?? throw new KeyNotFoundException($"MiniTransformer: no parameter is named '{name}'; the names are {string.Join(", ", Parameters.Select(p => p.Name))}.");

    /// <summary>
    /// Records the whole forward pass: token ids (batch, position) → logits (batch, position, vocabulary). Its parts are then on the
    /// tape by name: embed, blocks.0.resid_pre, blocks.0.attn.q … blocks.0.resid_post, ln_final, logits.
    /// </summary>
    /// <param name="tape">Where to record.</param>
    /// <param name="tokens">A constant of the same tape, (batch, position).</param>
    /// <param name="training">Whether dropout drops.</param>
    /// <exception cref="ArgumentException">The tokens are of another shape, too long, or not in the vocabulary.</exception>
    public Node Forward(Tape tape, Node tokens, bool training = false)
    {
        if (tokens.Shape.Rank != 2)
        {
            throw new ArgumentException($"Forward: {tokens.Label} is {tokens.Shape}; tokens must be (batch, position).");
        }

        var length = tokens.Shape[1];
        if (length > Config.ContextLength)
        {
            throw new ArgumentException($"Forward: the sequence has {length} tokens, but the model's ContextLength is {Config.ContextLength}; shorten it, or build the model with a longer context.");
        }

        CheckTokens(tokens.V);
        var dropout = new DropoutLayer(training ? Config.Dropout : 0, Config.Seed);
        var x = tape.Use(embedding).Rows(tokens).As("embed");
        if (positionEmbedding is not null)
        {
            var positions = tape.Constant(Ascending(length), "positions");
            x += tape.Use(positionEmbedding).Rows(positions).As("pos_embed");
        }
        else if (Config.Positions == Positions.Sinusoidal)
        {
            sinusoids = sinusoids?.Shape[0] >= length ? sinusoids : Sinusoids(length, Config.ModelDim);
            x += tape.Constant(new Tensor([length, Config.ModelDim], sinusoids.Values[..(length * Config.ModelDim)]), "pos_embed");
        }

        x = dropout.Forward(x);
        for (var i = 0; i < Blocks.Length; i++)
        {
            // The stream between two blocks is one node: the later name stays, and the first block's input is named here.
            if (i == 0)
            {
                x.As("blocks.0.resid_pre");
            }

            x = Blocks[i].Forward(x, dropout);
        }

        x = finalNorm?.Forward(x) ?? x;
        return (unembedding is null ? x.MatMul(tape.Use(embedding).Transpose().As("unembed")) : unembedding.Forward(x)).As("logits");
    }

    /// <summary>
    /// A forward pass on a tape of its own and, where targets are given, the loss: what one does by hand to look inside.
    /// <c>var tape = model.Record([[3, 1, 2]], [[1, 2, 4]]); tape.Backward(tape["loss"]);</c>
    /// </summary>
    /// <param name="tokens">Token ids, one array a sequence, all of one length.</param>
    /// <param name="targets">The ids asked for, of the same lengths; −1 where nothing is asked. None: no loss.</param>
    /// <exception cref="ArgumentException">Lengths differ, a sequence is empty or too long, or an id is outside the vocabulary.</exception>
    public Tape Record(int[][] tokens, int[][]? targets = null)
    {
        var tape = new Tape();
        var logits = Forward(tape, Ids(tape, tokens, "tokens"));
        if (targets is not null)
        {
            logits.CrossEntropy(Ids(tape, targets, "targets")).As("loss");
        }

        return tape;
    }

    /// <summary>
    /// <see cref="Tape.CheckGradients"/> on a tape of its own: a row for each operation's inputs and one for each parameter. The parameters'
    /// values stay as they are; their gradients are afterwards those of this batch.
    /// </summary>
    /// <param name="tokens">Token ids, one array a sequence, all of one length.</param>
    /// <param name="targets">The ids asked for, of the same lengths; −1 where nothing is asked.</param>
    /// <param name="seed">The seed of the random directions.</param>
    /// <param name="sweep">Whether each row also gets the error at each step size.</param>
    /// <exception cref="ArgumentException">Lengths differ, a sequence is empty or too long, or an id is outside the vocabulary.</exception>
    public GradientCheck CheckGradients(int[][] tokens, int[][] targets, ulong seed = 1, bool sweep = false)
    {
        var tape = Record(tokens, targets);
        tape.Backward(tape["loss"]);
        return tape.CheckGradients(seed, sweep);
    }

    /// <summary>Continues a sequence token by token, each drawn from softmax(logits / temperature).</summary>
    /// <param name="prompt">At least one token id.</param>
    /// <param name="count">How many tokens to add at the most.</param>
    /// <param name="temperature">0 takes the likeliest; 1 draws as the model says; more is wilder.</param>
    /// <param name="seed">The seed of the draws.</param>
    /// <param name="end">A token that ends the text and is not returned.</param>
    /// <returns>The added tokens.</returns>
    /// <exception cref="ArgumentException">The prompt is empty or has an id outside the vocabulary, or the temperature is negative.</exception>
    public int[] Generate(ReadOnlySpan<int> prompt, int count, float temperature = 1, ulong seed = 1, int? end = null)
    {
        if (prompt.IsEmpty)
        {
            throw new ArgumentException("Generate: the prompt is empty; give at least one token id to start from.");
        }

        if (!(temperature >= 0))
        {
            throw new ArgumentException(FormattableString.Invariant($"Generate: the temperature is {temperature}; it must be 0 or more."));
        }

        var random = new RandomStream(seed);
        List<int> text = [.. prompt];
        for (var i = 0; i < count; i++)
        {
            var window = text.Skip(Math.Max(0, text.Count - Config.ContextLength)).ToArray();
            var tape = new Tape(gradients: false);
            var logits = Forward(tape, Ids(tape, [window], "tokens"));
            var token = Sampling.Draw(logits.V[^Config.VocabSize..], temperature, random);
            if (token == end)
            {
                break;
            }

            text.Add(token);
        }

        return [.. text.Skip(prompt.Length)];
    }

    /// <summary>"MiniTransformer: 2 layers …", in a line.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"MiniTransformer: {Config.LayerCount} layers × {Config.HeadCount} heads, width {Config.ModelDim}, context {Config.ContextLength}, vocabulary {Config.VocabSize}, {ParameterCount:N0} parameters{FrozenWords}");

    internal static Leaf Ids(Tape tape, int[][] ids, string name)
    {
        if (ids.Length == 0 || ids[0].Length == 0)
        {
            throw new ArgumentException($"Forward: there are no {name}; give at least one sequence of at least one token id.");
        }

        var length = ids[0].Length;
        var leaf = tape.Constant(Tensor.Zeros([ids.Length, length]), name);
        for (var i = 0; i < ids.Length; i++)
        {
            if (ids[i].Length != length)
            {
                throw new ArgumentException($"Forward: sequence {i} of {name} has {ids[i].Length} ids, but the first has {length}; pad them to one length (targets with −1).");
            }
        }

        leaf.Write([.. ids.SelectMany(row => row)]);
        return leaf;
    }

    private void CheckTokens(ReadOnlySpan<float> tokens)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            if (tokens[i] < 0 || tokens[i] >= Config.VocabSize)
            {
                throw new ArgumentException(FormattableString.Invariant($"Forward: token id {tokens[i]} at place {i} is outside the vocabulary, which is 0 to {Config.VocabSize - 1}; was the text tokenised with this model's tokenizer?"));
            }
        }
    }

    private static Tensor Ascending(int length) => new([length], [.. Enumerable.Range(0, length).Select(i => (float)i)]);

    /// <summary>sin(p / 10000^(2i/d)) and cos of the same, in turn (Vaswani et al. 2017, section 3.5).</summary>
    private static Tensor Sinusoids(int length, int dim)
    {
        var values = new float[length * dim];
        for (var p = 0; p < length; p++)
        {
            for (var i = 0; i < dim; i += 2)
            {
                var angle = p / Math.Pow(10_000, (double)i / dim);
                values[p * dim + i] = (float)Math.Sin(angle);
                values[p * dim + i + 1] = (float)Math.Cos(angle);
            }
        }

        return new([length, dim], values);
    }
}
