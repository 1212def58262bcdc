namespace GradScope.Interactive;

/// <summary>
/// Keeps updates below what notebook servers drop or stall at (the classic server: 1 MB/s over a few seconds): in any second at the
/// most 10 of them and a megabyte, all live outputs of the process together. A view larger than that goes out alone.
/// </summary>
internal sealed class UpdateBudget(TimeProvider clock)
{
    public const int MostUpdates = 10;
    public const int MostBytes = 1_000_000;

    private static readonly TimeSpan window = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly Queue<(long Time, int Bytes)> sent = [];
    private long bytes;

    /// <summary>The process's own.</summary>
    public static UpdateBudget Shared { get; } = new(TimeProvider.System);

    /// <summary>Takes an update of so many bytes where it fits now.</summary>
    /// <returns>Zero where it was taken; else how long to wait before asking again.</returns>
    public TimeSpan Take(int size)
    {
        lock (gate)
        {
            var now = clock.GetTimestamp();
            while (sent.TryPeek(out var oldest) && clock.GetElapsedTime(oldest.Time, now) >= Held(oldest.Bytes))
            {
                bytes -= sent.Dequeue().Bytes;
            }

            if (sent.Count == 0 || (sent.Count < MostUpdates && bytes + size <= MostBytes))
            {
                sent.Enqueue((now, size));
                bytes += size;
                return TimeSpan.Zero;
            }

            var first = sent.Peek();
            return Held(first.Bytes) - clock.GetElapsedTime(first.Time, now);
        }
    }

    /// <summary>How long an update counts: a second, or as long as a larger one takes at a megabyte a second.</summary>
    private static TimeSpan Held(int size) => size > MostBytes ? window * ((double)size / MostBytes) : window;
}
