using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>
/// A row of a tile of c, held in registers while its sum runs. It changes in place: that, and nothing else, keeps the
/// JIT from copying accumulators around the inner loop.
/// </summary>
internal unsafe interface ITileRow<TSelf> where TSelf : struct, ITileRow<TSelf>
{
    static abstract TSelf Load(float* source);

    /// <summary>Loads what is so many floats after the source.</summary>
    static abstract TSelf Load(float* source, nint offset);

    void Store(float* target);

    /// <summary>this += *a · b.</summary>
    void AddProduct(float* a, TSelf b);

    void Add(TSelf other);

    void Multiply(float scale);
}

/// <summary>A vector of the machine as the row of a tile, with the loads and stores of a row's ragged end.</summary>
internal unsafe interface ITileVector<TSelf> : ITileRow<TSelf> where TSelf : struct, ITileVector<TSelf>
{
    /// <summary>Floats in the vector.</summary>
    static abstract int Width { get; }

    /// <summary>Rows of a tile two vectors wide whose accumulators fit into the registers: 8 or 4.</summary>
    static abstract int TileRows { get; }

    /// <summary>The float there in every lane.</summary>
    static abstract TSelf Broadcast(float* source);

    /// <summary>this += a · b, lane by lane.</summary>
    void AddProduct(TSelf a, TSelf b);

    /// <summary>The first <paramref name="count"/> floats (0 to Width), then zeros; nothing else is touched.</summary>
    static abstract TSelf LoadFirst(float* source, int count);

    void StoreFirst(float* target, int count);
}

/// <summary>Two vectors side by side: each element of a that is read then serves two multiplications.</summary>
internal unsafe struct Pair<TVector>(TVector left, TVector right) : ITileRow<Pair<TVector>>
    where TVector : struct, ITileVector<TVector>
{
    private TVector left = left;
    private TVector right = right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> Load(float* source) => new(TVector.Load(source), TVector.Load(source + TVector.Width));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> Load(float* source, nint offset) => new(TVector.Load(source + offset), TVector.Load(source + offset + TVector.Width));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target)
    {
        left.Store(target);
        right.Store(target + TVector.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(float* a, Pair<TVector> b)
    {
        // One use of the address: the compiler then makes it part of the instruction that reads there.
        var factor = TVector.Broadcast(a);
        left.AddProduct(factor, b.left);
        right.AddProduct(factor, b.right);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Pair<TVector> other)
    {
        left.Add(other.left);
        right.Add(other.right);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Multiply(float scale)
    {
        left.Multiply(scale);
        right.Multiply(scale);
    }
}
