using System.Globalization;
using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>
/// Numbers in a shape: an immutable, row-major array of float32. It takes part in no tape; a value or a gradient
/// read from a <see cref="Node"/> is such a copy and stays as it was when it was read.
/// </summary>
public sealed class Tensor
{
    private readonly ReadOnlyMemory<float> values;

    /// <exception cref="ArgumentException">The number of values is not the shape's length.</exception>
    public Tensor(Shape shape, params ReadOnlySpan<float> values)
    {
        if (values.Length != shape.ElementCount)
        {
            throw new ArgumentException(
                $"Tensor: {values.Length} values were given for shape {shape}, which holds {shape.ElementCount}.");
        }

        Shape = shape;
        this.values = values.ToArray();
    }

    private Tensor(ReadOnlyMemory<float> values, Shape shape) => (this.values, Shape) = (values, shape);

    /// <summary>The sizes of the dimensions.</summary>
    public Shape Shape { get; }

    /// <summary>The elements in row-major order.</summary>
    public ReadOnlySpan<float> Values => values.Span;

    internal ReadOnlyMemory<float> Memory => values;

    /// <summary>The number of elements.</summary>
    public int Length => values.Length;

    /// <summary>The element at an index of as many numbers as the tensor has dimensions.</summary>
    /// <exception cref="ArgumentException">Too few or too many numbers, or one outside its dimension.</exception>
    public float this[params ReadOnlySpan<int> index] => Values[Offset(index)];

    /// <summary>All elements 0.</summary>
    public static Tensor Zeros(Shape shape) => new(new float[shape.ElementCount], shape);

    /// <summary>Independent draws from a normal distribution with mean 0, the same for the same seed on every machine.</summary>
    /// <param name="shape">The shape to fill, in row-major order.</param>
    /// <param name="seed">The seed of the <see cref="RandomStream"/> that is drawn from.</param>
    /// <param name="scale">The standard deviation.</param>
    public static Tensor Normal(Shape shape, ulong seed, float scale = 1)
    {
        var values = new float[shape.ElementCount];
        new RandomStream(seed).FillNormal(values, scale);
        return new(values, shape);
    }

    /// <summary>A scalar, shape ().</summary>
    public static implicit operator Tensor(float value) => new(Shape.Scalar, value);

    /// <summary>A vector, shape (n).</summary>
    public static implicit operator Tensor(float[] values) => new([values.Length], values);

    /// <summary>A matrix, shape (rows, columns).</summary>
    public static implicit operator Tensor(float[,] values)
    {
        var flat = new float[values.Length];
        System.Buffer.BlockCopy(values, 0, flat, 0, flat.Length * sizeof(float));
        return new(flat, [values.GetLength(0), values.GetLength(1)]);
    }

    /// <summary>The number in a tensor of one element.</summary>
    /// <exception cref="InvalidOperationException">The tensor has more than one element.</exception>
    public static explicit operator float(Tensor tensor) => tensor.Length == 1
        ? tensor.Values[0]
        : throw new InvalidOperationException(
            $"Tensor: {tensor.Shape} has {tensor.Length} elements and cannot be read as one number; index it, or take Sum() or Mean() of its node.");

    /// <summary>√Σx², the Frobenius norm, summed in double.</summary>
    public double Norm()
    {
        var sum = 0.0;
        foreach (var x in Values)
        {
            sum += (double)x * x;
        }

        return Math.Sqrt(sum);
    }

    /// <summary>Σx·y, summed in double.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public double Dot(Tensor other)
    {
        if (Shape != other.Shape)
        {
            throw new ArgumentException($"Dot: the tensors are {Shape} and {other.Shape}; they must have the same shape.");
        }

        var mine = Values;
        var others = other.Values;
        var sum = 0.0;
        for (var i = 0; i < mine.Length; i++)
        {
            sum += (double)mine[i] * others[i];
        }

        return sum;
    }

    /// <summary>The part at <paramref name="index"/> of the first dimension, one rank lower: of (head, query, key) one head's (query, key).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The index is outside the first dimension, or the tensor is a scalar.</exception>
    public Tensor Slice(int index)
    {
        if (Shape.Rank == 0 || index < 0 || index >= Shape[0])
        {
            throw new ArgumentOutOfRangeException(nameof(index), $"Slice: index {index} is outside the first dimension of {Shape}.");
        }

        var shape = new Shape(Shape.Skip(1).ToArray());
        return new(values.Slice(index * shape.ElementCount, shape.ElementCount), shape);
    }

    /// <summary>The same numbers in another shape of the same length.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public Tensor Reshape(Shape shape) => new(shape, Values);

    /// <summary>Wraps numbers that nobody else will change.</summary>
    internal static Tensor Wrap(ReadOnlyMemory<float> values, Shape shape) => new(values, shape);

    private int Offset(ReadOnlySpan<int> index)
    {
        if (index.Length != Shape.Rank)
        {
            throw new ArgumentException($"Tensor: {index.Length} indices were given for {Shape}; it takes {Shape.Rank}.");
        }

        var offset = 0;
        for (var i = 0; i < index.Length; i++)
        {
            if ((uint)index[i] >= (uint)Shape[i])
            {
                throw new ArgumentException($"Tensor: index {index[i]} is outside dimension {i} of {Shape}, which is 0 to {Shape[i] - 1}.");
            }

            offset = offset * Shape[i] + index[i];
        }

        return offset;
    }

    /// <summary>A scalar as its number; otherwise the shape and the first elements.</summary>
    public override string ToString()
    {
        if (Shape.Rank == 0)
        {
            return Values[0].ToString(CultureInfo.InvariantCulture);
        }

        var text = new DefaultInterpolatedStringHandler(8, 2, CultureInfo.InvariantCulture);
        text.AppendFormatted(Shape);
        for (var i = 0; i < Math.Min(8, values.Length); i++)
        {
            text.AppendLiteral(i == 0 ? " [" : ", ");
            text.AppendFormatted(Values[i], "G4");
        }

        text.AppendLiteral(values.Length > 8 ? ", …]" : "]");
        return text.ToStringAndClear();
    }
}
