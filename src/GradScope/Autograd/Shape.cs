using System.Collections;
using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>
/// The sizes of a tensor's dimensions, rank 0 (a scalar) to 4: (batch, head, position, feature) in row-major order.
/// Written as a collection, <c>Shape s = [4, 6];</c>, and shown as (4, 6).
/// </summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly record struct Shape : IReadOnlyList<int>
{
    private readonly int a, b, c, d;

    /// <exception cref="ArgumentException">More than 4 dimensions, or one that is not positive.</exception>
    public Shape(params ReadOnlySpan<int> sizes)
    {
        if (sizes.Length > 4)
        {
            throw new ArgumentException($"Shape: {sizes.Length} dimensions were given; GradScope's tensors have 0 to 4.");
        }

        foreach (var size in sizes)
        {
            if (size < 1)
            {
                throw new ArgumentException($"Shape: ({string.Join(", ", sizes.ToArray())}) has a size of {size}; each size must be 1 or more.");
            }
        }

        (Rank, a, b, c, d) = (sizes.Length, At(sizes, 0), At(sizes, 1), At(sizes, 2), At(sizes, 3));

        static int At(ReadOnlySpan<int> sizes, int i) => i < sizes.Length ? sizes[i] : 0;
    }

    /// <summary>The shape of a single number, ().</summary>
    public static Shape Scalar => default;

    /// <summary>How many dimensions there are, 0 to 4.</summary>
    public int Rank { get; }

    /// <summary>The product of all sizes, 1 for a scalar.</summary>
    /// <remarks>It is not called Length: the compiler would take that for the number of sizes where a shape is spread, [.. shape, 3].</remarks>
    public int ElementCount => checked((Rank > 0 ? a : 1) * (Rank > 1 ? b : 1) * (Rank > 2 ? c : 1) * (Rank > 3 ? d : 1));

    /// <summary>The size of the last dimension, 1 for a scalar: the length of a row.</summary>
    public int Columns => Rank == 0 ? 1 : this[Rank - 1];

    /// <summary>How many rows there are: the product of all sizes but the last.</summary>
    public int Rows => ElementCount / Columns;

    int IReadOnlyCollection<int>.Count => Rank;

    /// <summary>The size of dimension <paramref name="axis"/>; <c>shape[^1]</c> is the last.</summary>
    public int this[int axis] => axis >= 0 && axis < Rank
        ? axis switch { 0 => a, 1 => b, 2 => c, _ => d }
        : throw new ArgumentOutOfRangeException(nameof(axis), $"Shape: {this} has no dimension {axis}; it has {Rank}.");

    /// <inheritdoc cref="this[int]"/>
    public int this[Index axis] => this[axis.GetOffset(Rank)];

    /// <summary>What a collection expression calls.</summary>
    public static Shape Create(ReadOnlySpan<int> sizes) => new(sizes);

    /// <summary>The same shape with the last two dimensions exchanged.</summary>
    internal Shape Transposed => Rank switch
    {
        2 => [b, a],
        3 => [a, c, b],
        4 => [a, b, d, c],
        _ => throw new ArgumentException($"Transpose: the tensor is {this}; it needs 2 to 4 dimensions."),
    };

    /// <summary>The same shape with another last dimension.</summary>
    internal Shape WithColumns(int columns) => Rank switch
    {
        0 or 1 => [columns],
        2 => [a, columns],
        3 => [a, b, columns],
        _ => [a, b, c, columns],
    };

    /// <summary>Sizes and strides, in elements, as if the shape had 4 dimensions (leading ones have size 1).</summary>
    internal (int Size, int Stride) Padded(int axis)
    {
        var i = axis - (4 - Rank);
        if (i < 0)
        {
            return (1, 0);
        }

        var stride = 1;
        for (var j = i + 1; j < Rank; j++)
        {
            stride *= this[j];
        }

        return (this[i], stride);
    }

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator()
    {
        for (var i = 0; i < Rank; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>(4, 6); a scalar is ().</summary>
    public override string ToString() => $"({string.Join(", ", this)})";
}
