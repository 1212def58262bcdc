using System.Numerics;
using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>Memory that a thread works in, on a cache line; what was there before is lost. It grows and is kept, so that steps allocate nothing.</summary>
internal static unsafe class Scratch
{
    private const int Alignment = 64;

    [ThreadStatic]
    private static float[]? packed;

    [ThreadStatic]
    private static float[]? packedWhole;

    [ThreadStatic]
    private static float[]? packedRows;

    [ThreadStatic]
    private static float[]? halves;

    /// <summary>For a packed block of a matrix product's b.</summary>
    public static float* Packed(int length) => Start(Aligned(ref packed, length));

    /// <summary>For all of a b, packed for products made in pieces.</summary>
    public static float* PackedWhole(int length) => Start(Aligned(ref packedWhole, length));

    /// <summary>For a packed band of its a.</summary>
    public static float* PackedRows(int length) => Start(Aligned(ref packedRows, length));

    /// <summary>For a <see cref="HalvedSum"/>, of which the other thread may write a half.</summary>
    public static Buffer Halves(int length) => Aligned(ref halves, length);

    private static Buffer Aligned(ref float[]? array, int length)
    {
        var needed = length + Alignment / sizeof(float);
        if (array is null || array.Length < needed)
        {
            array = GC.AllocateUninitializedArray<float>((int)BitOperations.RoundUpToPowerOf2((uint)needed), pinned: true);
        }

        var past = (nint)Unsafe.AsPointer(ref array[0]) & (Alignment - 1);
        return new(array, (int)((Alignment - past) / sizeof(float)), length);
    }

    /// <summary>Pinned, it stays where it is.</summary>
    private static float* Start(in Buffer buffer) => (float*)Unsafe.AsPointer(ref buffer.Array[buffer.Offset]);
}
