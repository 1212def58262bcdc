namespace GradScope;

/// <summary>A stretch of one array that holds a tensor; it starts on 64 bytes and is followed by zeros up to the next 64.</summary>
internal readonly record struct Buffer(float[] Array, int Offset, int Length)
{
    /// <summary>Elements in 64 bytes.</summary>
    public const int Block = 16;

    public bool IsEmpty => Array is null;

    public Span<float> Span => Array.AsSpan(Offset, Length);

    public Memory<float> Memory => Array.AsMemory(Offset, Length);

    /// <summary>The elements and what fills them up to whole vectors, for element-wise loops that have no tail.</summary>
    public Span<float> Padded => Array.AsSpan(Offset, Arena.Pad(Length));

    /// <summary>Blocks that <see cref="Padded"/> consists of.</summary>
    public int Blocks => Arena.Pad(Length) / Block;

    /// <summary>The buffer as a matrix of its shape's rows and columns.</summary>
    public Matrix AsMatrix(int rows, int columns) => new(Array, Offset, rows, columns, columns, 1);
}

/// <summary>
/// Hands out buffers from few large arrays, so that a tape's tensors lie side by side and are laid out once. Those of a page and
/// more start on a page (4096 bytes): a processor tells a load from an older store by the lowest twelve bits of their addresses, and
/// where an operation writes a little ahead of what it reads, modulo a page, each of its steps waits for the one before, which made
/// some of them five times slower.
/// </summary>
internal sealed class Arena
{
    private const int Page = 4096 / sizeof(float);
    private const int LargestChunk = 1 << 20;

    private Buffer chunk;
    private int used;
    private int nextChunk = 1 << 12;

    public static int Pad(int length) => (length + Buffer.Block - 1) & -Buffer.Block;

    /// <summary>Where a buffer of that length starts in an array of which the first <paramref name="used"/> elements are taken; they are taken up to its end then.</summary>
    public static int Place(ref int used, int length)
    {
        var start = length < Page ? used : (used + Page - 1) & -Page;
        used = start + Pad(length);
        return start;
    }

    public Buffer Allocate(int length)
    {
        var end = used;
        Place(ref end, length);
        if (end > chunk.Length)
        {
            chunk = NewBuffer(Math.Max(Pad(length), nextChunk));
            used = 0;
            nextChunk = Math.Min(2 * nextChunk, LargestChunk);
        }

        return new Buffer(chunk.Array, chunk.Offset + Place(ref used, length), length);
    }

    /// <summary>Zeros in an array of their own.</summary>
    public static unsafe Buffer NewBuffer(int length)
    {
        // Pinned, so that the address and with it the alignment stay.
        var alignment = length < Page ? Buffer.Block : Page;
        var array = GC.AllocateArray<float>(length + alignment, pinned: true);
        fixed (float* start = array)
        {
            return new(array, (int)((-(long)start & (alignment * sizeof(float) - 1)) / sizeof(float)), length);
        }
    }
}
