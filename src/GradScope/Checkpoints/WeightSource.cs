namespace GradScope;

/// <summary>Where a new model's numbers come from instead of random draws.</summary>
internal abstract class WeightSource
{
    /// <summary>Refuses a parameter that is not there in that shape; called for each before anything is allocated for any.</summary>
    public abstract void Require(string name, Shape shape);

    /// <summary>Brings the numbers of a parameter that was required.</summary>
    public abstract void Fill(string name, Shape shape, Span<float> target);
}

/// <summary>A parameter's place in a file that may order it otherwise.</summary>
/// <param name="Tensor">The file's name of the tensor.</param>
/// <param name="Transposed">Whether a matrix stands there as (out, in), not (in, out).</param>
/// <param name="Part">Which of several parameters that stand side by side in the tensor's out dimension.</param>
/// <param name="Parts">How many those are.</param>
internal readonly record struct WeightOrigin(string Tensor, bool Transposed = false, int Part = 0, int Parts = 1);

/// <summary>Numbers from a safetensors file.</summary>
/// <param name="file">The open file.</param>
/// <param name="originOf">Where a parameter of a name stands in it.</param>
internal sealed class StoredWeights(Safetensors file, Func<string, WeightOrigin> originOf) : WeightSource
{
    private const int MostParameters = int.MaxValue - (1 << 10);

    private readonly HashSet<string> used = [];
    private long total;

    public override void Require(string name, Shape shape)
    {
        var origin = originOf(name);
        if (!file.Contains(origin.Tensor))
        {
            throw file.Refused($"there is no tensor '{origin.Tensor}', which a model of this configuration needs as {name} {shape}. Load it with the configuration that it was saved with");
        }

        var wide = shape.WithColumns(shape.Columns * origin.Parts);
        var wanted = origin.Transposed && shape.Rank == 2 ? wide.Transposed : wide;
        var found = file.ShapeOf(origin.Tensor);
        if (found != wanted)
        {
            throw file.Refused($"tensor '{origin.Tensor}' is {found}, but a model of this configuration needs {wanted} for {name}. Load it with the configuration that it was saved with");
        }

        used.Add(origin.Tensor);
        total += Arena.Pad(shape.ElementCount);
        if (total > MostParameters)
        {
            throw file.Refused(FormattableString.Invariant($"the model has more than {MostParameters:N0} parameters, which is as many as one array holds. Load a smaller model"));
        }
    }

    public override void Fill(string name, Shape shape, Span<float> target)
    {
        var origin = originOf(name);
        if (origin is { Transposed: false, Parts: 1 })
        {
            file.Read(origin.Tensor, target);
            return;
        }

        var (rows, columns) = (shape.Rows, shape.Columns);
        var stored = file.Read(origin.Tensor).Values;
        var (rowStride, columnStride) = origin.Transposed ? (1, rows) : (columns * origin.Parts, 1);
        stored = stored[(origin.Part * columns * columnStride)..];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                target[row * columns + column] = stored[row * rowStride + column * columnStride];
            }
        }
    }

    /// <summary>Builds a model of these numbers.</summary>
    /// <param name="config">Its configuration, known to be valid.</param>
    /// <param name="ignored">Which tensors may be left over.</param>
    /// <exception cref="InvalidDataException">A tensor is missing, of another shape or type, or left over; the message names it.</exception>
    public MiniTransformer Build(TransformerConfig config, Predicate<string> ignored)
    {
        if (config.LayerCount > file.Tensors.Length)
        {
            throw file.Refused($"the configuration has {config.LayerCount} layers, but the file only {file.Tensors.Length} tensors. Load it with the configuration that it was saved with");
        }

        var model = new MiniTransformer(config, this);
        return file.Tensors.FirstOrDefault(entry => !used.Contains(entry.Name) && !ignored(entry.Name)) is { } unknown
            ? throw file.Refused($"tensor '{unknown.Name}' has no place in a model of this configuration. Load it with the configuration that it was saved with, or leave the tensor out when saving")
            : model;
    }
}
