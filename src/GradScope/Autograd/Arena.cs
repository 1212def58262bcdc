namespace GradScope;

/// <summary>A stretch of one array that holds a tensor; it starts on 64 bytes and is followed by zeros up to the next 64.</summary>
internal readonly record struct Buffer(float[] Array, int Offset, int Length)
{
    public bool IsEmpty => Array is null;

    public Span<float> Span => Array.AsSpan(Offset, Length);

    public Memory<float> Memory => Array.AsMemory(Offset, Length);

    /// <summary>The elements and what fills them up to whole vectors, for element-wise loops that have no tail.</summary>
    public Span<float> Padded => Array.AsSpan(Offset, Arena.Pad(Length));

    /// <summary>The buffer as a matrix of its shape's rows and columns.</summary>
    public Matrix AsMatrix(int rows, int columns) => new(Array, Offset, rows, columns, columns, 1);
}

/// <summary>Hands out buffers from few large arrays, so that a tape's tensors lie side by side and are laid out once.</summary>
internal sealed class Arena
{
    private const int Alignment = 16;
    private const int LargestChunk = 1 << 20;

    private float[] chunk = [];
    private int used;
    private int nextChunk = 1 << 12;

    public static int Pad(int length) => (length + Alignment - 1) & -Alignment;

    public Buffer Allocate(int length)
    {
        var padded = Pad(length);
        if (chunk.Length - used < padded)
        {
            (chunk, used) = NewArray(Math.Max(padded, nextChunk));
            nextChunk = Math.Min(2 * nextChunk, LargestChunk);
        }

        var buffer = new Buffer(chunk, used, length);
        used += padded;
        return buffer;
    }

    /// <summary>One array that holds <paramref name="length"/> elements from the returned offset on, which lies on 64 bytes.</summary>
    public static unsafe (float[] Array, int Offset) NewArray(int length)
    {
        // Pinned, so that the address and with it the alignment stay.
        var array = GC.AllocateArray<float>(length + Alignment, pinned: true);
        fixed (float* start = array)
        {
            return (array, (int)((-(long)start & 63) / sizeof(float)));
        }
    }
}
