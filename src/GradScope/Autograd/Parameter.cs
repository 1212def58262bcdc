namespace GradScope;

/// <summary>A tensor that a model learns. It outlives the tapes that use it; its numbers lie in its model's <see cref="ParameterStore"/>.</summary>
public sealed class Parameter
{
    internal Parameter(ParameterStore store, string name, Shape shape, int offset)
    {
        (Store, Name, Shape, Offset) = (store, name, shape, offset);
    }

    /// <summary>Its path in the model, such as blocks.0.attn.wq.weight.</summary>
    public string Name { get; }

    /// <summary>Its shape; a linear map's weight is (in, out) and is used as x·W.</summary>
    public Shape Shape { get; }

    /// <summary>A copy of its numbers.</summary>
    public Tensor Value => new(Shape, ValueBuffer.Span);

    /// <summary>Whether a backward pass has brought it a gradient.</summary>
    public bool HasGrad { get; internal set; }

    /// <summary>
    /// Whether it stays as it is: backward computes no gradient for it, and no optimiser changes it. <see cref="MiniTransformer.Freeze"/> and
    /// <see cref="MiniTransformer.Unfreeze"/> set it.
    /// </summary>
    public bool IsFrozen { get; private set; }

    /// <summary>A copy of ∂loss/∂value as the last training backward pass left it.</summary>
    /// <exception cref="InvalidOperationException">No backward pass has run with this parameter, or it is frozen.</exception>
    public Tensor Grad => HasGrad ? new(Shape, GradBuffer.Span)
        : IsFrozen ? throw new InvalidOperationException($"Grad: {Name} is frozen, so backward computes no gradient for it; call model.Unfreeze(\"{Name}\") first.")
        : throw new InvalidOperationException($"Grad: backward has not run, so {Name} has no gradient yet; call tape.Backward(loss) or trainer.Step() first.");

    internal ParameterStore Store { get; }

    internal int Offset { get; }

    internal Buffer ValueBuffer => new(Store.Values.Array, Store.Values.Offset + Offset, Shape.ElementCount);

    internal Buffer GradBuffer => new(Store.Grads.Array, Store.Grads.Offset + Offset, Shape.ElementCount);

    /// <summary>Replaces its numbers.</summary>
    /// <exception cref="ArgumentException">The shape is another.</exception>
    public void Set(Tensor value)
    {
        if (value.Shape != Shape)
        {
            throw new ArgumentException($"Set: {Name} is {Shape}, but the new value is {value.Shape}.");
        }

        value.Values.CopyTo(ValueBuffer.Span);
    }

    /// <summary>Freezes it or lets it learn again; the gradient of the last backward pass is forgotten where that changes anything.</summary>
    internal void SetFrozen(bool frozen)
    {
        if (IsFrozen != frozen)
        {
            (IsFrozen, HasGrad) = (frozen, false);
            GradBuffer.Span.Clear();
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Shape}{(IsFrozen ? ", frozen" : "")}";
}

/// <summary>
/// All parameters of a model, one after the other in one array, and their gradients in another of the same layout, so that
/// an optimiser is one loop.
/// </summary>
/// <param name="weights">Where the initial numbers come from, if not from random draws.</param>
internal sealed class ParameterStore(WeightSource? weights = null)
{
    private readonly List<(Parameter Parameter, float Mean, float Scale)> entries = [];
    private int length;

    public IReadOnlyList<Parameter> Parameters { get; private set; } = [];

    public Buffer Values { get; private set; }

    public Buffer Grads { get; private set; }

    /// <summary>Adds a parameter whose initial numbers are normal with this mean and standard deviation.</summary>
    public Parameter Add(string name, Shape shape, float mean, float scale)
    {
        weights?.Require(name, shape);
        var parameter = new Parameter(this, name, shape, length);
        entries.Add((parameter, mean, scale));
        length += Arena.Pad(shape.ElementCount);
        return parameter;
    }

    /// <summary>Lays out the arrays and brings the initial numbers, once all parameters are known.</summary>
    public void Seal(ulong seed)
    {
        var random = new RandomStream(seed);
        Parameters = [.. entries.Select(e => e.Parameter)];
        Values = Arena.NewBuffer(length);
        Grads = Arena.NewBuffer(length);
        foreach (var (parameter, mean, scale) in entries)
        {
            var values = parameter.ValueBuffer.Span;
            if (weights is not null)
            {
                weights.Fill(parameter.Name, parameter.Shape, values);
                continue;
            }

            if (scale > 0)
            {
                random.FillNormal(values, scale);
            }

            foreach (ref var value in values)
            {
                value += mean;
            }
        }

        weights = null;
    }
}
