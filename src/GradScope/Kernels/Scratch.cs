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
    private static float[]? packedRows;

    [ThreadStatic]
    private static float[]? halves;

    /// <summary>For a packed block of a matrix product's b.</summary>
    public static float* Packed(int length) => Aligned(ref packed, length);

    /// <summary>For a packed band of its a.</summary>
    public static float* PackedRows(int length) => Aligned(ref packedRows, length);

    /// <summary>For a <see cref="HalvedSum"/>, of which the other thread may write a half.</summary>
    public static float* Halves(int length) => Aligned(ref halves, length);

    private static float* Aligned(ref float[]? buffer, int length)
    {
        var needed = length + Alignment / sizeof(float);
        if (buffer is null || buffer.Length < needed)
        {
            buffer = GC.AllocateUninitializedArray<float>((int)BitOperations.RoundUpToPowerOf2((uint)needed), pinned: true);
        }

        var start = (nint)Unsafe.AsPointer(ref buffer[0]);
        return (float*)((start + Alignment - 1) & -Alignment);
    }
}
