using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace GradScope;

/// <summary>
/// Copies operands into the order in which tiles read them: a block of b into panels two vectors wide (the last one, where that is
/// enough, one vector), each of them row after row without a gap and filled up with zeros; and rows of a that lie as columns. A
/// transposed b costs no more than that.
/// </summary>
internal static unsafe class Packing
{
    /// <summary>Longest stretch of the sum that a tile runs over at once; a multiple of every tile height.</summary>
    public const int MaxDepth = 384;

    /// <summary>Floats of an operand that stay in the first-level cache as they lie, so that packing them would be work for nothing.</summary>
    public const int SmallOperand = 4096;

    /// <summary>Rows of a for which a packed b is read too seldom to be worth it, and for which twice as many floats of it may lie as they are.</summary>
    private const int FewRows = 16, SomeRows = 64;

    /// <summary>Whether steps of a sum over b's rows are packed, to be multiplied by so many rows of a.</summary>
    public static bool IsWorth(nint rowStride, nint columnStride, int depth, int rows) =>
        columnStride != 1 || (rows > FewRows && depth * rowStride > (rows > SomeRows ? SmallOperand : 2 * SmallOperand));

    /// <summary>Columns with those that fill up the last vector.</summary>
    public static int Padded(int columns, int width) => (columns + width - 1) / width * width;

    /// <summary>
    /// All of b's first columns, packed on both threads: a stretch of the sum of <see cref="MaxDepth"/> after the other, as products that
    /// are made in pieces read them.
    /// </summary>
    public static void PackWhole(in Matrix b, int columns, float* target) =>
        Lanes.For(new Panels(b, columns, target), Panels.Across(columns) * ((b.Rows + MaxDepth - 1) / MaxDepth), (long)b.Rows * columns / 2);

    /// <summary>Packs <paramref name="depth"/> rows of b of <paramref name="columns"/>, laid out by the two strides.</summary>
    public static void Pack<TVector>(float* source, nint rowStride, nint columnStride, int depth, int columns, float* target)
        where TVector : struct, ITileVector<TVector>
    {
        for (var j = 0; j < columns;)
        {
            var width = columns - j <= TVector.Width ? TVector.Width : 2 * TVector.Width;
            var count = Math.Min(width, columns - j);
            var corner = source + j * columnStride;
            if (columnStride == 1) CopyPanel<TVector>(corner, rowStride, depth, width, count, target);
            else TransposePanel(corner, rowStride, columnStride, depth, width, count, target);
            target += (nint)depth * width;
            j += width;
        }
    }

    /// <summary>
    /// How far apart packed tiles of a's rows start: a cache line more than they hold, since otherwise the lines that are written in
    /// turn would be a power of two apart and push one another out of the first-level cache.
    /// </summary>
    public static int TileStride<TVector>(int depth) where TVector : struct, ITileVector<TVector> => TVector.TileRows * depth + Buffer.Block;

    /// <summary>Packs whole tiles of a's rows, whose elements for one step of the sum lie side by side and the next step's a stride further.</summary>
    public static void PackRows<TVector>(float* source, nint stride, int rows, int depth, float* target)
        where TVector : struct, ITileVector<TVector>
    {
        nint tileStride = TileStride<TVector>(depth);
        var p = 0;
        if (TVector.TileRows == 4 && Avx.IsSupported)
        {
            for (; p <= depth - 2; p += 2) PackTwoSteps(source + p * stride, stride, rows, tileStride, target + p * 4);
        }

        for (; p < depth; p++)
        {
            var tile = target + p * TVector.TileRows;
            for (var r = 0; r + TVector.TileRows <= rows; r += TVector.TileRows, tile += tileStride)
            {
                for (var k = 0; k < TVector.TileRows; k += 4) Vector128.Store(Vector128.Load(source + p * stride + r + k), tile + k);
            }
        }
    }

    /// <summary>Two steps of the sum, which lie side by side in a packed tile of four rows.</summary>
    private static void PackTwoSteps(float* source, nint stride, int rows, nint tileStride, float* target)
    {
        var next = source + stride;
        var r = 0;
        for (; r <= rows - 8; r += 8, target += 2 * tileStride)
        {
            var first = Vector256.Load(source + r);
            var second = Vector256.Load(next + r);
            Avx.Permute2x128(first, second, 0x20).Store(target);
            Avx.Permute2x128(first, second, 0x31).Store(target + tileStride);
        }

        if (r <= rows - 4) Vector256.Create(Vector128.Load(source + r), Vector128.Load(next + r)).Store(target);
    }

    private static void CopyPanel<TVector>(float* source, nint rowStride, int depth, int width, int count, float* target)
        where TVector : struct, ITileVector<TVector>
    {
        for (var p = 0; p < depth; p++, source += rowStride, target += width)
        {
            if (count == 2 * TVector.Width)
            {
                Pair<TVector>.Load(source).Store(target);
                continue;
            }

            for (var j = 0; j < width; j += TVector.Width)
            {
                TVector.LoadFirst(source + j, Math.Clamp(count - j, 0, TVector.Width)).Store(target + j);
            }
        }
    }

    private static void TransposePanel(
        float* source, nint rowStride, nint columnStride, int depth, int width, int count, float* target)
    {
        var j = 0;
        if (rowStride == 1 && Avx.IsSupported)
        {
            for (; j <= count - 8; j += 8) TransposeEight(source + j * columnStride, columnStride, depth, width, target + j);
        }

        for (; j < width; j++)
        {
            var column = source + j * columnStride;
            for (var p = 0; p < depth; p++) target[(nint)p * width + j] = j < count ? column[p * rowStride] : 0;
        }
    }

    /// <summary>Turns eight columns of b that lie as rows of memory, four elements of each at a time; a vector's halves hold the first four and the last.</summary>
    private static void TransposeEight(float* source, nint columnStride, int depth, int width, float* target)
    {
        var last = source + 4 * columnStride;
        var p = 0;
        for (; p <= depth - 4; p += 4, target += 4 * width)
        {
            var r0 = Vector256.Create(Vector128.Load(source + p), Vector128.Load(last + p));
            var r1 = Vector256.Create(Vector128.Load(source + columnStride + p), Vector128.Load(last + columnStride + p));
            var r2 = Vector256.Create(Vector128.Load(source + 2 * columnStride + p), Vector128.Load(last + 2 * columnStride + p));
            var r3 = Vector256.Create(Vector128.Load(source + 3 * columnStride + p), Vector128.Load(last + 3 * columnStride + p));
            var low01 = Avx.UnpackLow(r0, r1);
            var low23 = Avx.UnpackLow(r2, r3);
            var high01 = Avx.UnpackHigh(r0, r1);
            var high23 = Avx.UnpackHigh(r2, r3);
            Avx.Shuffle(low01, low23, 0x44).Store(target);
            Avx.Shuffle(low01, low23, 0xEE).Store(target + width);
            Avx.Shuffle(high01, high23, 0x44).Store(target + 2 * width);
            Avx.Shuffle(high01, high23, 0xEE).Store(target + 3 * width);
        }

        for (; p < depth; p++, target += width)
        {
            for (var j = 0; j < 8; j++) target[j] = source[j * columnStride + p];
        }
    }

    private readonly struct Panels(Matrix b, int columns, float* target) : ILanesJob
    {
        public static int Across(int columns) => (columns + 2 * Lanes.Width - 1) / (2 * Lanes.Width);

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            fixed (float* start = &b.Array[b.Offset])
            {
                for (var unit = from; unit < to; unit++)
                {
                    var (stretch, panel) = Math.DivRem(unit, Across(columns));
                    var p = stretch * MaxDepth;
                    var j = panel * 2 * TLanes.Width;
                    var depth = Math.Min(MaxDepth, b.Rows - p);
                    Pack<TLanes>(
                        start + p * (nint)b.RowStride + j * (nint)b.ColumnStride, b.RowStride, b.ColumnStride, depth,
                        Math.Min(2 * TLanes.Width, columns - j), target + p * (nint)Padded(columns, TLanes.Width) + j * (nint)depth);
                }
            }
        }
    }
}
