using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace GradScope;

/// <summary>Work over [0, count) that may run in pieces, two at the same time.</summary>
internal interface IJob
{
    /// <summary>
    /// Does units [from, to). The two threads share one job: no piece may write what another one reads.
    /// </summary>
    void Run(int from, int to);
}

/// <summary>
/// The second core. One helper thread looks out for the next job for two milliseconds and then sleeps, so that handing
/// over costs some 0.3 µs while training and idleness costs nothing.
/// </summary>
/// <remarks>
/// The caller takes pieces from the front and the helper from the back: so the halves of rows stay in the caches of the two cores. A core
/// that is slower, or busy with another program, does less: how much of a job each is likely to get done is learned from the jobs before.
/// Most of that each takes at once, and the rest in smaller and smaller pieces until they meet; a job too short for this is done in two
/// pieces. A job never waits for a thread that is not working on it. Where the helper lost its core within a piece, which shows in a long
/// wait, the caller works alone for a while. Nothing is allocated by a call.
/// </remarks>
internal static unsafe class Workers
{
    /// <summary>
    /// Estimated nanoseconds below which sharing a job costs more than it saves. The rows of what is larger lie half in each core's
    /// cache, so that even a small operation on them is better done in halves: to fetch the other half takes longer than to add it up.
    /// </summary>
    public const long MinimumCost = 8_000;

    /// <summary>Estimated nanoseconds of the smallest piece of a larger job, but for the last: taking one costs a thread some 0.2 µs.</summary>
    private const double LeastPiece = 40_000;

    /// <summary>The part of what is left that is a thread's next piece after its first.</summary>
    private const double Later = 1 / 3.0;

    private const int Idle = 0, Offered = 1, Begun = 2, Done = 3;

    /// <summary>2 ms: about what it takes a scheduler, at worst, to find a free core for a thread that wakes.</summary>
    private static readonly long Patience = Stopwatch.Frequency / 500;

    /// <summary>5 ms: jobs of so many estimated nanoseconds in all the caller does alone after the helper was kept from its work.</summary>
    private const long Rest = 5_000_000;

    private static readonly AutoResetEvent Wake = new(false);
    private static Thread? helper;
    private static int busy;
    private static int state;
    private static int asleep;
    private static long resting;
    private static void* job;
    private static delegate*<void*, int, int, void> run;
    private static int grain;
    private static int least;
    private static (int Units, long Time) helperDid;
    private static long open;
    private static ExceptionDispatchInfo? failure;

    /// <summary>
    /// Threads that work on a job, the caller's included: 1 or 2. By default 2 where the machine has them.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Neither 1 nor 2.</exception>
    public static int ThreadCount
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 2);
            field = value;
            resting = 0;
            Balance = new(0.5);
        }
    } = Math.Min(2, Environment.ProcessorCount);

    /// <summary>What part of a job the caller is likely to do while the helper does the rest.</summary>
    public static Balance Balance { get; set; } = new(0.5);

    /// <summary>Whether a job of so many estimated nanoseconds is done on two threads, when the helper is free.</summary>
    public static bool Shares(long cost) => cost >= MinimumCost && ThreadCount == 2;

    /// <summary>
    /// Runs the job over [0, count), on two threads if <paramref name="cost"/>, its estimated nanoseconds on one, is
    /// worth it and no other caller has the helper. Returns when all is done; what the job throws is thrown here.
    /// </summary>
    /// <param name="job">What is done.</param>
    /// <param name="count">Its units.</param>
    /// <param name="cost">Of them all.</param>
    /// <param name="grain">Pieces are so many units, or a multiple of it, but for the last.</param>
    /// <param name="least">Units of the smallest piece that is worth it; where there are fewer than four such, the job is done in two pieces.</param>
    /// <param name="even">Whether units cost about the same, so that the cores' speeds can be learned from them.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void For<TJob>(ref TJob job, int count, long cost, int grain = 1, int least = 1, bool even = true) where TJob : struct, IJob
    {
        if (!Shares(cost) || count <= grain || Interlocked.Exchange(ref busy, 1) != 0) job.Run(0, count);
        else Share(ref job, count, cost, grain, least, even);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Share<TJob>(ref TJob shared, int count, long cost, int pieceGrain, int pieceLeast, bool even) where TJob : struct, IJob
    {
        try
        {
            if (resting > 0)
            {
                resting -= cost;
                shared.Run(0, count);
                return;
            }

#pragma warning disable CS8500 // The job may hold arrays: it is pinned, and the caller's frame outlives the helper's use of it.
            fixed (TJob* pinned = &shared)
#pragma warning restore CS8500
            {
                job = pinned;
                run = &Invoke<TJob>;
                grain = pieceGrain;
                var first = Divide(count, cost, pieceLeast);
                Offer();
                var begun = Stopwatch.GetTimestamp();
                var firstTime = 0L;
                try
                {
                    shared.Run(0, first);
                    firstTime = Stopwatch.GetTimestamp() - begun;
                    while (Take(fromFront: true, Later, out var from, out var to)) shared.Run(from, to);
                }
                finally
                {
                    Volatile.Write(ref open, 0);
                    if (Interlocked.CompareExchange(ref state, Idle, Offered) != Offered) WaitUntilDone(Stopwatch.GetTimestamp() - begun);
                }

                if (even && helperDid.Units > 0 && resting <= 0) Balance = Balance.After(first, firstTime, helperDid.Units, helperDid.Time);
            }

            failure?.Throw();
        }
        finally
        {
            failure = null;
            Volatile.Write(ref busy, 0);
        }
    }

    /// <summary>Opens a job and tells where the caller's first piece, which starts at 0, ends.</summary>
    private static int Divide(int count, long cost, int pieceLeast)
    {
        least = RoundUp((int)Math.Clamp(LeastPiece * count / cost, Math.Min(pieceLeast, count), count));
        var inTwo = 4L * least > count;
        if (inTwo) least = RoundUp(count);
        var likely = Balance.Caller * count * (inTwo ? 1 : 2 / 3.0);
        var first = Math.Clamp((int)Math.Round(likely / grain), 1, (count - 1) / grain) * grain;
        helperDid = default;
        open = Range(first, count);
        return first;
    }

    /// <summary>The next piece, some part of what is open or the least that is worth a piece; false where nothing is left.</summary>
    private static bool Take(bool fromFront, double part, out int from, out int to)
    {
        while (true)
        {
            var seen = Volatile.Read(ref open);
            (from, to) = ((int)seen, (int)(seen >> 32));
            var left = to - from;
            if (left <= 0) return false;

            var piece = Math.Max(least, RoundUp((int)(left * part)));
            var rest = (from, to);
            if (left - piece < least / 2) rest.from = rest.to;
            else if (fromFront) (rest.from, to) = (from + piece, from + piece);
            else (rest.to, from) = (from + RoundUp(left) - piece, from + RoundUp(left) - piece);
            if (Interlocked.CompareExchange(ref open, Range(rest.from, rest.to), seen) == seen) return true;
        }
    }

    private static long Range(int from, int to) => (long)to << 32 | (uint)from;

    private static int RoundUp(int units) => (units + grain - 1) / grain * grain;

    private static void Invoke<TJob>(void* job, int from, int to) where TJob : struct, IJob => Unsafe.AsRef<TJob>(job).Run(from, to);

    private static void Offer()
    {
        if (helper is null)
        {
            var thread = new Thread(Help) { IsBackground = true, Name = "GradScope helper" };
            thread.Start();
            helper = thread;
        }

        // A full fence: the helper either sees the offer before it sleeps, or is seen asleep here and woken.
        Interlocked.Exchange(ref state, Offered);
        if (Volatile.Read(ref asleep) != 0 && Interlocked.Exchange(ref asleep, 0) != 0) Wake.Set();
    }

    /// <param name="own">What the caller's pieces took together; the helper's last should take no longer.</param>
    private static void WaitUntilDone(long own)
    {
        if (Volatile.Read(ref state) != Done)
        {
            var start = Stopwatch.GetTimestamp();
            // At first without yielding, which would take longer than most waits.
            for (var i = 0; i < 1000 && Volatile.Read(ref state) != Done; i++) Thread.SpinWait(1);
            var spinner = new SpinWait();
            while (Volatile.Read(ref state) != Done) spinner.SpinOnce(sleep1Threshold: -1);
            if (Stopwatch.GetTimestamp() - start > own + Patience) resting = Rest;
        }

        Volatile.Write(ref state, Idle);
    }

    private static void Help()
    {
        while (true)
        {
            if (!SpinForOffer())
            {
                Interlocked.Exchange(ref asleep, 1);
                if (Volatile.Read(ref state) != Offered) Wake.WaitOne();
                else if (Interlocked.Exchange(ref asleep, 0) == 0) Wake.WaitOne();
            }

            if (Interlocked.CompareExchange(ref state, Begun, Offered) != Offered) continue;
            try
            {
                var begun = Stopwatch.GetTimestamp();
                if (Take(fromFront: false, 1 - Balance.Caller, out var from, out var to))
                {
                    run(job, from, to);
                    helperDid = (to - from, Stopwatch.GetTimestamp() - begun);
                    while (Take(fromFront: false, Later, out from, out to)) run(job, from, to);
                }
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
                Volatile.Write(ref open, 0);
            }

            Volatile.Write(ref state, Done);
        }
    }

    /// <remarks>
    /// It does not yield: a scheduler that has put it on the caller's core moves it to a free one if it is seen to be
    /// busy, but leaves a thread that keeps yielding where it is.
    /// </remarks>
    private static bool SpinForOffer()
    {
        var start = Stopwatch.GetTimestamp();
        do
        {
            for (var i = 0; i < 50; i++)
            {
                if (Volatile.Read(ref state) == Offered) return true;
                Thread.SpinWait(1);
            }
        }
        while (Stopwatch.GetTimestamp() - start < Patience);

        return false;
    }
}
