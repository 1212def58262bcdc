namespace GradScope;

/// <summary>The nonlinearity inside an MLP.</summary>
public enum Activation
{
    /// <summary>x·Φ(x) with the normal distribution function Φ (Hendrycks and Gimpel 2016).</summary>
    Gelu,

    /// <summary>GELU with Φ by its tanh approximation, as GPT-2 has it.</summary>
    GeluTanh,

    /// <summary>max(0, x).</summary>
    Relu,
}

/// <summary>What normalises the features of a position.</summary>
public enum Norm
{
    /// <summary>(x − mean) / √(variance + 10⁻⁵) · weight + bias (Ba et al. 2016).</summary>
    LayerNorm,

    /// <summary>x / √(mean x² + 10⁻⁵) · weight (Zhang and Sennrich 2019).</summary>
    RmsNorm,

    /// <summary>Nothing.</summary>
    None,
}

/// <summary>Where the norms stand.</summary>
public enum NormPlacement
{
    /// <summary>x + branch(norm(x)), and one more norm before the unembedding, as in GPT-2.</summary>
    Pre,

    /// <summary>norm(x + branch(x)), as in Vaswani et al. 2017.</summary>
    Post,
}

/// <summary>How a token knows its position.</summary>
public enum Positions
{
    /// <summary>A learned vector a position.</summary>
    Learned,

    /// <summary>sin and cos of wavelengths 2π to 10,000·2π (Vaswani et al. 2017, section 3.5).</summary>
    Sinusoidal,

    /// <summary>Not at all.</summary>
    None,
}

/// <summary>A transformer's shape and options; change one with <c>config with { LayerCount = 4 }</c>.</summary>
public sealed record TransformerConfig
{
    /// <summary>How many tokens there are.</summary>
    public required int VocabSize { get; init; }

    /// <summary>The residual stream's width.</summary>
    public int ModelDim { get; init; } = 16;

    /// <summary>Attention heads a layer; must divide <see cref="ModelDim"/>.</summary>
    public int HeadCount { get; init; } = 2;

    /// <summary>Blocks.</summary>
    public int LayerCount { get; init; } = 2;

    /// <summary>The longest sequence, in tokens.</summary>
    public int ContextLength { get; init; } = 32;

    /// <summary>The MLP's hidden width; 0 for blocks of attention only; null for 4 × <see cref="ModelDim"/>.</summary>
    public int? MlpDim { get; init; }

    /// <summary>The MLP's nonlinearity.</summary>
    public Activation Activation { get; init; } = Activation.Gelu;

    /// <summary>The kind of normalisation.</summary>
    public Norm Norm { get; init; } = Norm.LayerNorm;

    /// <summary>Where the norms stand.</summary>
    public NormPlacement NormPlacement { get; init; } = NormPlacement.Pre;

    /// <summary>The kind of position embedding.</summary>
    public Positions Positions { get; init; } = Positions.Learned;

    /// <summary>Whether a position may only attend to itself and earlier ones.</summary>
    public bool Causal { get; init; } = true;

    /// <summary>Whether linear maps and LayerNorm have biases; the unembedding never has one.</summary>
    public bool Biases { get; init; } = true;

    /// <summary>Whether the unembedding is the transposed token embedding (Press and Wolf 2017).</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>The probability with which the embedding's, the patterns' and the branches' elements are dropped in training, 0 to below 1.</summary>
    public float Dropout { get; init; }

    /// <summary>
    /// The standard deviation of initial weights and embeddings; maps that write into the residual stream have it divided by
    /// √(number of branches), as in GPT-2.
    /// </summary>
    public float InitScale { get; init; } = 0.02f;

    /// <summary>The seed of the initial weights and of dropout.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The width of one head; 0 where there is none.</summary>
    public int HeadDim => HeadCount == 0 ? 0 : ModelDim / HeadCount;

    /// <summary>The MLP's hidden width as a number.</summary>
    public int HiddenDim => MlpDim ?? 4 * ModelDim;

    /// <summary>Whether the blocks have an MLP.</summary>
    public bool HasMlp => HiddenDim > 0;

    /// <exception cref="ArgumentException">A value is out of range or two do not fit together; the message names them.</exception>
    internal void Validate()
    {
        AtLeast(VocabSize, 1);
        AtLeast(ModelDim, 1);
        AtLeast(HeadCount, 1);
        AtLeast(LayerCount, 1);
        AtLeast(ContextLength, 1);
        AtLeast(HiddenDim, 0, nameof(MlpDim));
        Require(ModelDim % HeadCount == 0, $"HeadCount {HeadCount} does not divide ModelDim {ModelDim}; choose a width that is a multiple of the heads, such as {Math.Max(1, ModelDim / HeadCount) * HeadCount}");
        Require(Dropout is >= 0 and < 1, $"Dropout {Dropout} is not in the range 0 to below 1");
        Require(float.IsFinite(InitScale) && InitScale >= 0, $"InitScale {InitScale} is not a number of 0 or more");
        Require(Positions != Positions.Sinusoidal || ModelDim % 2 == 0, $"sinusoidal positions need an even ModelDim, not {ModelDim}");
        Require(VocabSize < 1 << 24, $"VocabSize {VocabSize} is 2²⁴ or more, past which token ids are not exact in float32");
        Known(Activation);
        Known(Norm);
        Known(NormPlacement);
        Known(Positions);

        static void AtLeast(int value, int least, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(value))] string name = "") =>
            Require(value >= least, $"{name} is {value}; it must be {least} or more");

        static void Known<T>(T value)
            where T : struct, Enum => Require(Enum.IsDefined(value), $"{typeof(T).Name} {value} does not exist; choose one of {string.Join(", ", Enum.GetNames<T>())}");

        static void Require(bool condition, string otherwise)
        {
            if (!condition)
            {
                throw new ArgumentException($"TransformerConfig: {otherwise}.");
            }
        }
    }
}
