using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace GradScope.Benchmarks;

/// <summary>
/// A whole training step (forward, backward, Adam) beside PyTorch's. Both run in processes of their own and take turns, so that
/// a change of the machine's mood meets both alike; times are medians over rounds.
/// </summary>
internal static class StepSpeed
{
    private const int Rounds = 9;
    private const double RoundMicroseconds = 400_000;

    private static readonly Configuration[] configurations =
    [
        new("seed", 10, 16, 2, 2, 8, 1),
        new("teach", 65, 64, 4, 2, 32, 16),
        new("nanoGPT CPU", 65, 128, 4, 4, 64, 12),
        new("large", 65, 384, 6, 6, 256, 8),
    ];

    private sealed record Configuration(string Name, int Vocabulary, int Width, int Heads, int Layers, int Positions, int Batch)
    {
        public string[] Arguments => [.. new[] { Vocabulary, Width, Heads, Layers, Positions, Batch }.Select(n => n.ToString(CultureInfo.InvariantCulture))];
    }

    private sealed record Result(string Name, string Who, double Microseconds, double BestMicroseconds, double PeakMegabytes);

    /// <summary>step [--json FILE] [name]: the table; step-worker …: our side of it.</summary>
    public static int Run(string[] args)
    {
        if (args is ["step-worker", .. var numbers])
        {
            Work([.. numbers.Select(n => int.Parse(n, CultureInfo.InvariantCulture))]);
            return 0;
        }

        var json = args.SkipWhile(a => a != "--json").ElementAtOrDefault(1);
        var only = args.Skip(1).FirstOrDefault(a => a != "--json" && a != json);
        List<Result> results = [];
        Console.WriteLine($"{"",-14}{"GradScope",14}{"PyTorch",14}{"ratio",8}{"memory",18}   medians of {Rounds} turns; memory: peak MB, GradScope / PyTorch");
        foreach (var configuration in configurations.Where(c => only is null || c.Name.Contains(only, StringComparison.OrdinalIgnoreCase)))
        {
            using var ours = new Player("GradScope", Environment.ProcessPath!, ["step-worker", .. configuration.Arguments]);
            using var theirs = new Player("PyTorch", "/usr/bin/python3", [PeerScript(), .. configuration.Arguments]);
            for (var round = 0; round < Rounds; round++)
            {
                ours.Play(RoundMicroseconds);
                theirs.Play(RoundMicroseconds);
            }

            var (a, b) = (ours.End(configuration.Name), theirs.End(configuration.Name));
            results.AddRange([a, b]);
            Console.WriteLine(FormattableString.Invariant(
                $"{configuration.Name,-14}{a.Microseconds / 1000,11:0.0000} ms{b.Microseconds / 1000,11:0.000} ms{b.Microseconds / a.Microseconds,7:0.00}×{a.PeakMegabytes,9:0} / {b.PeakMegabytes:0}"));
        }

        if (json is not null)
        {
            File.WriteAllText(json + ".tmp", JsonSerializer.Serialize(results, new JsonSerializerOptions { WriteIndented = true }));
            File.Move(json + ".tmp", json, overwrite: true);
        }

        return 0;
    }

    private static void Work(int[] n)
    {
        var (vocabulary, batch, positions) = (n[0], n[5], n[4]);
        var model = new MiniTransformer(vocabSize: vocabulary, modelDim: n[1], heads: n[2], layers: n[3], contextLength: positions);
        var random = new RandomStream(1);
        var workout = new Workout(model, new Tape(), Ids(), Ids(), positions, training: true);
        var adam = new Adam(1e-4f);
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line and not "end")
        {
            var count = int.Parse(line, CultureInfo.InvariantCulture);
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < count; i++)
            {
                workout.Replay();
                workout.Tape.Backward(workout.Loss);
                adam.Step(model.Store, 1e-4f, 1);
            }

            Console.WriteLine((Stopwatch.GetElapsedTime(start).TotalMicroseconds / count).ToString(CultureInfo.InvariantCulture));
        }

        Console.WriteLine(File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Trim());

        int[] Ids() => [.. Enumerable.Range(0, batch * positions).Select(_ => random.Next(vocabulary))];
    }

    private static string PeerScript([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "StepPeer.py");

    /// <summary>A process that trains when it is its turn.</summary>
    private sealed class Player : IDisposable
    {
        private readonly Process process;
        private readonly string who;
        private readonly List<double> times = [];
        private double estimate;

        public Player(string who, string program, string[] arguments)
        {
            this.who = who;
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };

            // PyTorch at its best (measured): OpenBLAS with the machine's widest vectors on both cores.
            start.Environment["OPENBLAS_NUM_THREADS"] = "2";
            start.Environment["OPENBLAS_CORETYPE"] = "SkylakeX";
            start.Environment["ATEN_CPU_CAPABILITY"] = "avx512";
            process = Process.Start(start)!;
            if (process.StandardOutput.ReadLine() != "ready")
            {
                throw new InvalidOperationException($"{who} did not start; PyTorch is Debian's python3-torch (apt-get install -y python3-torch libopenblas0-pthread).");
            }

            // Until compilers and caches have settled nothing counts.
            for (var (begin, steps) = (Stopwatch.GetTimestamp(), 1); Stopwatch.GetElapsedTime(begin).TotalSeconds < 3; steps = Steps(200_000))
            {
                estimate = Ask(steps);
            }
        }

        public void Play(double microseconds) => times.Add(estimate = Ask(Steps(microseconds)));

        public Result End(string name)
        {
            process.StandardInput.WriteLine("end");
            var kilobytes = double.Parse(process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
            return new(name, who, times.Order().ElementAt(times.Count / 2), times.Min(), kilobytes / 1024);
        }

        public void Dispose()
        {
            process.Kill();
            process.Dispose();
        }

        private int Steps(double microseconds) => Math.Max(1, (int)(microseconds / estimate));

        private double Ask(int steps)
        {
            process.StandardInput.WriteLine(steps);
            return double.Parse(process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
        }
    }
}
