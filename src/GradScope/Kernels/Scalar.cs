using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>A single float: for machines without vectors, or with them switched off.</summary>
internal unsafe struct Scalar(float value) : ILanes<Scalar>
{
    private float value = value;

    public static int Width => 1;

    public static int TileRows => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator Scalar(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator +(Scalar a, Scalar b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator -(Scalar a, Scalar b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator *(Scalar a, Scalar b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator /(Scalar a, Scalar b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator &(Scalar a, Scalar b) =>
        new(BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(a.value) & BitConverter.SingleToInt32Bits(b.value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar operator -(Scalar x) => new(-x.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Load(float* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Load(float* source, nint offset) => Load(source + offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar LoadFirst(float* source, int count) => count > 0 ? Load(source) : default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar First(int count) => Mask(count > 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Less(Scalar a, Scalar b) => Mask(a.value < b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Select(Scalar mask, Scalar a, Scalar b) => BitConverter.SingleToInt32Bits(mask.value) != 0 ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Abs(Scalar x) => new(MathF.Abs(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Sqrt(Scalar x) => new(MathF.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Log(Scalar x) => new(MathF.Log(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Round(Scalar x) => new(MathF.Round(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Max(Scalar a, Scalar b) => new(a.value > b.value ? a.value : b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Min(Scalar a, Scalar b) => new(a.value < b.value ? a.value : b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar CopySign(Scalar x, Scalar sign) => new(MathF.CopySign(x.value, sign.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar MultiplyAdd(Scalar a, Scalar b, Scalar c) => new(a.value * b.value + c.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar ScaleB(Scalar x, Scalar n) => new(BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(x.value) + ((int)n.value << 23)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* target) => *target = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreAround(float* target) => Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void StoreFirst(float* target, int count)
    {
        if (count > 0) Store(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(float* a, Scalar b) => AddProduct(Broadcast(a), b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Scalar Broadcast(float* source) => new(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddProduct(Scalar a, Scalar b) => value += a.value * b.value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Scalar other) => value += other.value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Multiply(float scale) => value *= scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Sum() => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Largest() => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Scalar Mask(bool condition) => new(BitConverter.Int32BitsToSingle(condition ? -1 : 0));
}
