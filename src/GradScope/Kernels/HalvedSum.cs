using System.Runtime.CompilerServices;

namespace GradScope;

/// <summary>
/// A sum over rows that is made in two halves, first and last rows, each in memory of its own: so two threads add as one does, to the
/// bit, and each reads mostly rows that it has written itself, since operations on rows share them out from both ends. If the threads
/// shared out the sum's columns instead, every row would have to come over from the other core.
/// </summary>
/// <remarks>One at a time on a thread: the memory is its <see cref="Scratch"/>.</remarks>
internal readonly unsafe struct HalvedSum(int length)
{
    private readonly Buffer halves = Scratch.Halves(2 * Arena.Pad(length));

    public int Length { get; } = length;

    /// <summary>
    /// Whether a product whose sum runs over rows (∂W = xᵀ·∂y) is best made so: where they are many beside its own elements.
    /// </summary>
    public static bool Suits(int productRows, int productColumns, int rows) => 4L * productRows * productColumns <= (long)(productRows + productColumns) * rows;

    /// <summary>The rows that belong to a half.</summary>
    public static (int From, int To) Range(int half, int rows) => half == 0 ? (0, (rows + 1) / 2) : ((rows + 1) / 2, rows);

    /// <summary>Where a half is summed; what was there before is lost.</summary>
    public Buffer this[int half] => halves with { Offset = halves.Offset + half * Arena.Pad(Length), Length = Length };

    /// <summary>The same, with zeros in it.</summary>
    public float* Begin(int half)
    {
        this[half].Span.Clear();
        return Start(half);
    }

    /// <summary>
    /// The target becomes the sum of the halves, added to what it was where it accumulates; where it is shorter than they are, of the
    /// part of them that starts at <paramref name="offset"/>.
    /// </summary>
    public void AddUp(Buffer target, bool accumulate, int offset = 0) =>
        Lanes.For(new Total(this, offset, target, accumulate), target.Blocks, 8L * target.Length);

    /// <summary>The memory is pinned.</summary>
    private float* Start(int half) => (float*)Unsafe.AsPointer(ref halves.Array[halves.Offset + half * Arena.Pad(Length)]);

    private readonly struct Total(HalvedSum sum, int offset, Buffer target, bool accumulate) : ILanesJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public void Run<TLanes>(int from, int to) where TLanes : struct, ILanes<TLanes>
        {
            var first = sum.Start(0) + offset;
            var last = sum.Start(1) + offset;
            var end = Math.Min(to * Buffer.Block, target.Length);
            fixed (float* result = target.Span)
            {
                var i = from * Buffer.Block;
                for (; i <= end - TLanes.Width; i += TLanes.Width) Add<TLanes>(first + i, last + i, result + i, TLanes.Width);
                if (i < end) Add<TLanes>(first + i, last + i, result + i, end - i);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Add<TLanes>(float* first, float* last, float* result, int count) where TLanes : struct, ILanes<TLanes>
        {
            var total = TLanes.LoadFirst(first, count) + TLanes.LoadFirst(last, count);
            (accumulate ? TLanes.LoadFirst(result, count) + total : total).StoreFirst(result, count);
        }
    }
}
