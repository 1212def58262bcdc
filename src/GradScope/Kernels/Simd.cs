using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GradScope;

/// <summary>What row operations need beside the vectors of the runtime: ragged ends and sums.</summary>
internal static unsafe class Simd
{
    /// <summary>The first <paramref name="count"/> floats (0 to 16), then zeros; nothing behind them is read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadFirst(float* source, int count)
    {
        if (Avx512F.IsSupported) return Avx512F.MaskLoad(source, First(count), Vector512<float>.Zero);

        var padded = Vector512<float>.Zero;
        Unsafe.CopyBlockUnaligned(&padded, source, (uint)(count * sizeof(float)));
        return padded;
    }

    /// <summary>Stores the first <paramref name="count"/> floats (0 to 16); nothing behind them is written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirst(Vector512<float> vector, float* target, int count)
    {
        if (Avx512F.IsSupported) Avx512F.MaskStore(target, First(count), vector);
        else Unsafe.CopyBlockUnaligned(target, &vector, (uint)(count * sizeof(float)));
    }

    /// <summary>A mask: all bits set in the first <paramref name="count"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> First(int count) =>
        Vector512.GreaterThan(Vector512.Create(count), Vector512<int>.Indices).AsSingle();

    /// <summary>Largest lane, by halving: 4 steps in place of 15. NaN where a lane is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Max(Vector512<float> vector)
    {
        var eight = Vector256.Max(vector.GetLower(), vector.GetUpper());
        var four = Vector128.Max(eight.GetLower(), eight.GetUpper());
        var two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(two[0], two[1]);
    }

    /// <summary>
    /// Adds 16 floats to 8 running sums in double, for sums that decide a printed digit; Vector512.Sum ends them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> AddInDouble(Vector512<double> sums, Vector512<float> vector) =>
        sums + Vector512.WidenLower(vector) + Vector512.WidenUpper(vector);

    /// <summary>The sum of a row, in double.</summary>
    public static double Sum(ReadOnlySpan<float> row)
    {
        var sums = Vector512<double>.Zero;
        fixed (float* start = row)
        {
            var i = 0;
            for (; i <= row.Length - Vector512<float>.Count; i += Vector512<float>.Count)
            {
                sums = AddInDouble(sums, Vector512.Load(start + i));
            }

            if (i < row.Length) sums = AddInDouble(sums, LoadFirst(start + i, row.Length - i));
        }

        return Vector512.Sum(sums);
    }
}
