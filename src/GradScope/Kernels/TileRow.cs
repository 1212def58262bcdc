using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace GradScope;

/// <summary>
/// A row of a tile of c, held in registers while its sum runs. It changes in place: that, and nothing else, keeps the
/// JIT from copying accumulators around the inner loop.
/// </summary>
internal unsafe interface ITileRow<TSelf> where TSelf : struct, ITileRow<TSelf>
{
    /// <summary>Floats in the row.</summary>
    static abstract int Width { get; }

    static abstract TSelf Load(float* source);

    void Store(float* target);

    /// <summary>this += *a · b.</summary>
    void AddProduct(float* a, TSelf b);

    void Add(TSelf other);

    void Multiply(float scale);
}

/// <summary>A vector of the machine as the row of a tile, with the loads and stores of a row's ragged end.</summary>
internal unsafe interface ITileVector<TSelf> : ITileRow<TSelf> where TSelf : struct, ITileVector<TSelf>
{
    /// <summary>Rows of a tile two vectors wide whose accumulators fit into the registers: 8 or 4.</summary>
    static abstract int TileRows { get; }

    /// <summary>The first <paramref name="count"/> floats (0 to Width), then zeros; nothing else is touched.</summary>
    static abstract TSelf LoadFirst(float* source, int count);

    void StoreFirst(float* target, int count);
}

/// <summary>16 floats: AVX-512.</summary>
internal unsafe struct Wide512(Vector512<float> value) : ITileVector<Wide512>
{
    private Vector512<float> value = value;

    public static int Width => 16;

    public static int TileRows => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide512 LoadFirst(float* source, int count) => new(Simd.LoadFirst(source, count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreFirst(float* target, int count) => Simd.StoreFirst(value, target, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(float* a, Wide512 b) => value = Vector512.FusedMultiplyAdd(Vector512.Create(*a), b.value, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Wide512 other) => value += other.value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Multiply(float scale) => value *= scale;
}

/// <summary>8 floats: AVX2 with FMA.</summary>
internal unsafe struct Wide256(Vector256<float> value) : ITileVector<Wide256>
{
    private Vector256<float> value = value;

    public static int Width => 8;

    public static int TileRows => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide256 LoadFirst(float* source, int count) => new(Avx.MaskLoad(source, First(count)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreFirst(float* target, int count) => Avx.MaskStore(target, First(count), value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(float* a, Wide256 b) => value = Vector256.FusedMultiplyAdd(Vector256.Create(*a), b.value, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Wide256 other) => value += other.value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Multiply(float scale) => value *= scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> First(int count) =>
        Vector256.GreaterThan(Vector256.Create(count), Vector256<int>.Indices).AsSingle();
}

/// <summary>4 floats: what nearly every other machine has (NEON, SSE).</summary>
internal unsafe struct Wide128(Vector128<float> value) : ITileVector<Wide128>
{
    private Vector128<float> value = value;

    public static int Width => 4;

    public static int TileRows => AdvSimd.IsSupported ? 8 : 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Wide128 Load(float* source) => new(Vector128.Load(source));

    public static Wide128 LoadFirst(float* source, int count)
    {
        var padded = Vector128<float>.Zero;
        Unsafe.CopyBlockUnaligned(&padded, source, (uint)(count * sizeof(float)));
        return new(padded);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => value.Store(target);

    public readonly void StoreFirst(float* target, int count)
    {
        var copy = value;
        Unsafe.CopyBlockUnaligned(target, &copy, (uint)(count * sizeof(float)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(float* a, Wide128 b) =>
        value = Vector128.MultiplyAddEstimate(Vector128.Create(*a), b.value, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Wide128 other) => value += other.value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Multiply(float scale) => value *= scale;
}

/// <summary>A single float: for machines without vectors, or with them switched off.</summary>
internal unsafe struct Scalar(float value) : ITileVector<Scalar>
{
    private float value = value;

    public static int Width => 1;

    public static int TileRows => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Load(float* source) => new(*source);

    public static Scalar LoadFirst(float* source, int count) => count == 0 ? default : Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => *target = value;

    public readonly void StoreFirst(float* target, int count)
    {
        if (count > 0) Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(float* a, Scalar b) => value += *a * b.value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Scalar other) => value += other.value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Multiply(float scale) => value *= scale;
}

/// <summary>Two vectors side by side: each element of a that is read then serves two multiplications.</summary>
internal unsafe struct Pair<TVector>(TVector left, TVector right) : ITileRow<Pair<TVector>>
    where TVector : struct, ITileRow<TVector>
{
    private TVector left = left;
    private TVector right = right;

    public static int Width => 2 * TVector.Width;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> Load(float* source) => new(TVector.Load(source), TVector.Load(source + TVector.Width));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target)
    {
        left.Store(target);
        right.Store(target + TVector.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(float* a, Pair<TVector> b)
    {
        left.AddProduct(a, b.left);
        right.AddProduct(a, b.right);
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
