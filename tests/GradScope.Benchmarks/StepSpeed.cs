using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;

namespace GradScope.Benchmarks;

/// <summary>
/// A whole training step (forward, backward, Adam) beside PyTorch's, and beside itself with recording. Both sides run in processes of
/// their own and take turns, so that a change of the machine's mood meets both alike; times are medians over rounds.
/// </summary>
internal static class StepSpeed
{
    private const int Rounds = 9;
    private const double RoundMicroseconds = 400_000;

    private static readonly Configuration teach = new("teach", 65, 64, 4, 2, 32, 16);

    private static readonly Configuration[] configurations =
    [
        new("seed", 10, 16, 2, 2, 8, 1),
        teach,
        new("nanoGPT CPU", 65, 128, 4, 4, 64, 12),
        new("large", 65, 384, 6, 6, 256, 8),
    ];

    /// <summary>What instructions both sides may use; PyTorch at its best setting there (measured): OpenBLAS with these vectors on both cores.</summary>
    private static readonly Instructions[] instructions =
    [
        .. Avx512F.IsSupported ? (Instructions[])[new("", [], "SkylakeX", "avx512"), new(", AVX2", ["DOTNET_EnableAVX512"], "Haswell", "avx2")] : [new("", [], "Haswell", "avx2")],
        new(", no vectors", ["DOTNET_EnableHWIntrinsic"], "Prescott", "default"),
    ];

    private sealed record Configuration(string Name, int Vocabulary, int Width, int Heads, int Layers, int Positions, int Batch)
    {
        public string[] Arguments => [.. new[] { Vocabulary, Width, Heads, Layers, Positions, Batch }.Select(n => n.ToString(CultureInfo.InvariantCulture))];

        /// <summary>Multiplications and additions of the matrix products of a step: forward, and backward twice as many; of attention the allowed half.</summary>
        public double Flops
        {
            get
            {
                double tokens = Batch * Positions;
                var linear = Layers * 12.0 * Width * Width + Width * Vocabulary;
                var attention = Layers * (Positions + 1.0) * Width;
                return 6 * tokens * (linear + attention);
            }
        }
    }

    private sealed record Instructions(string Label, string[] Off, string BlasCore, string TorchCapability);

    private sealed record Result(string Name, string Who, double Microseconds, double BestMicroseconds, double PeakMegabytes)
    {
        /// <summary>Of what both cores reach in turns between: the median of its, and the best by the best.</summary>
        public double? ShareOfPeak { get; init; }

        public double? BestShareOfPeak { get; init; }

        /// <summary>The part that a step takes longer with recording, the median over neighbouring turns.</summary>
        public double? CostOfRecording { get; init; }
    }

    /// <summary>step [--json FILE] [name]: the tables; step-worker …: our side of them.</summary>
    public static int Run(string[] args)
    {
        if (args is ["step-worker", var mode, .. var numbers])
        {
            Work(mode, [.. numbers.Select(n => int.Parse(n, CultureInfo.InvariantCulture))]);
            return 0;
        }

        var json = args.SkipWhile(a => a != "--json").ElementAtOrDefault(1);
        var only = args.Skip(1).FirstOrDefault(a => a != "--json" && a != json) ?? "";
        List<Result> results = [.. BesidePyTorch(only), .. Recording(only)];
        if (json is not null)
        {
            File.WriteAllText(json + ".tmp", JsonSerializer.Serialize(results, new JsonSerializerOptions { WriteIndented = true }));
            File.Move(json + ".tmp", json, overwrite: true);
        }

        return 0;
    }

    private static IEnumerable<Result> BesidePyTorch(string only)
    {
        Console.WriteLine($"{"",-24}{"GradScope",14}{"PyTorch",14}{"ratio",8}{"FMA peak",16}{"memory",17}   medians of {Rounds} turns; share of both cores' peak in turns between (best turn by best turn); peak MB, GradScope / PyTorch");
        foreach (var (configuration, allowed) in configurations.Select(c => (c, instructions[0])).Concat(instructions[1..].Select(i => (teach, i))))
        {
            var name = configuration.Name + allowed.Label;
            if (!name.Contains(only, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            var environment = allowed.Off.ToDictionary(name => name, _ => "0");
            environment.Add("OPENBLAS_NUM_THREADS", "2");
            environment.Add("OPENBLAS_CORETYPE", allowed.BlasCore);
            environment.Add("ATEN_CPU_CAPABILITY", allowed.TorchCapability);
            using var ours = Player.Ours("plain", configuration, environment);
            using var theirs = new Player("PyTorch", "/usr/bin/python3", [PeerScript(), .. configuration.Arguments], environment);
            using var peaks = Player.Ours("peak", configuration, environment);
            for (var round = 0; round < Rounds; round++)
            {
                ours.Play(RoundMicroseconds);
                peaks.Play(RoundMicroseconds / 4);
                theirs.Play(RoundMicroseconds);
            }

            var (a, b, peak) = (ours.End(name), theirs.End(name), peaks.End("peak"));
            var billions = configuration.Flops / 1e9;
            a = a with { ShareOfPeak = billions * peak.Microseconds / a.Microseconds, BestShareOfPeak = billions * peak.BestMicroseconds / a.BestMicroseconds };
            yield return a;
            yield return b;
            Console.WriteLine(FormattableString.Invariant(
                $"{name,-24}{a.Microseconds / 1000,11:0.0000} ms{b.Microseconds / 1000,11:0.000} ms{b.Microseconds / a.Microseconds,7:0.00}×{100 * a.ShareOfPeak,7:0} % ({100 * a.BestShareOfPeak:0} %){a.PeakMegabytes,9:0} / {b.PeakMegabytes:0}"));
        }
    }

    private static IEnumerable<Result> Recording(string only)
    {
        (string Mode, string Name)[] modes = [("trainer", "metrics every step"), ("frames", "and a frame every 10th")];
        if (!"recording".Contains(only, StringComparison.OrdinalIgnoreCase))
        {
            yield break;
        }

        Console.WriteLine($"{Environment.NewLine}{"teach, recording",-24}{"without",14}{"with",14}{"more",8}");
        foreach (var (mode, name) in modes)
        {
            using var without = Player.Ours("loop", teach, []);
            using var with = Player.Ours(mode, teach, []);
            // Of many short turns each is compared with its neighbour, since a few per cent are less than what a machine slows down by meanwhile.
            for (var round = 0; round < 8 * Rounds; round++)
            {
                without.Play(RoundMicroseconds / 4);
                with.Play(RoundMicroseconds / 4);
            }

            var more = with.Times.Zip(without.Times, (w, o) => w / o - 1).Order().ElementAt(4 * Rounds);
            var (a, b) = (without.End("teach, nothing recorded"), with.End($"teach, {name}"));
            yield return a;
            yield return b with { CostOfRecording = more };
            Console.WriteLine(FormattableString.Invariant(
                $"{name,-24}{a.Microseconds / 1000,11:0.0000} ms{b.Microseconds / 1000,11:0.0000} ms{100 * more,6:0.0} %"));
        }
    }

    private static void Work(string mode, int[] n)
    {
        var (batch, positions) = (n[5], n[4]);
        var model = new MiniTransformer(vocabSize: n[0], modelDim: n[1], heads: n[2], layers: n[3], contextLength: positions);
        var step = mode switch
        {
            "peak" => RunPeak,
            "plain" => Plain(model, batch, positions),
            _ => Training(mode, model, batch),
        };
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line and not "end")
        {
            var count = int.Parse(line, CultureInfo.InvariantCulture);
            var start = Stopwatch.GetTimestamp();
            step(count);
            Console.WriteLine((Stopwatch.GetElapsedTime(start).TotalMicroseconds / count).ToString(CultureInfo.InvariantCulture));
        }

        Console.WriteLine(File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Trim());
    }

    /// <summary>So many billions of multiplications and additions.</summary>
    private static void RunPeak(int count)
    {
        for (var flops = 0.0; flops < count * 1e9; flops += Peak.FlopsOfTwoCores) Peak.TwoCores();
    }

    /// <summary>The same tokens again and again, as PyTorch's side has them.</summary>
    private static Action<int> Plain(MiniTransformer model, int batch, int positions)
    {
        var random = new RandomStream(1);
        var workout = new Workout(model, new Tape(), Ids(), Ids(), positions, training: true);
        var adam = new Adam(1e-4f);
        return count =>
        {
            for (var i = 0; i < count; i++)
            {
                workout.Replay();
                workout.Tape.Backward(workout.Loss);
                adam.Step(model.Store, 1e-4f, 1);
            }
        };

        int[] Ids() => [.. Enumerable.Range(0, batch * positions).Select(_ => random.Next(model.Config.VocabSize))];
    }

    /// <summary>Batches of a task: by a bare loop that keeps nothing, or by a trainer with its metrics, or with frames too.</summary>
    private static Action<int> Training(string mode, MiniTransformer model, int batch)
    {
        var task = new RepeatedTokens(model.Config.VocabSize, model.Config.ContextLength);
        if (mode != "loop")
        {
            var trainer = new Trainer(model, task) { Optimizer = new Adam(1e-4f), BatchSize = batch, ValidationEvery = 0, FrameEvery = mode == "frames" ? 10 : 0 };
            return count => trainer.Train(count);
        }

        var (random, length) = (new RandomStream(1), model.Config.ContextLength);
        var workout = new Workout(model, new Tape(), new int[batch * length], new int[batch * length], length, training: true);
        var adam = new Adam(1e-4f);
        return count =>
        {
            for (var i = 0; i < count; i++)
            {
                for (var sequence = 0; sequence < batch; sequence++)
                {
                    task.Draw(random, workout.Tokens(sequence), workout.Targets(sequence));
                }

                workout.Replay();
                workout.Tape.Backward(workout.Loss);
                adam.Step(model.Store, 1e-4f, 1);
            }
        };
    }

    private static string PeerScript([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "StepPeer.py");

    /// <summary>A process that trains when it is its turn.</summary>
    private sealed class Player : IDisposable
    {
        private readonly Process process;
        private readonly string who;
        private double estimate;

        public Player(string who, string program, string[] arguments, Dictionary<string, string> environment)
        {
            this.who = who;
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
            foreach (var (name, value) in environment)
            {
                start.Environment[name] = value;
            }

            process = Process.Start(start)!;
            if (process.StandardOutput.ReadLine() != "ready")
            {
                throw new InvalidOperationException($"{who} did not start; PyTorch is Debian's python3-torch (apt-get install -y python3-torch libopenblas0-pthread).");
            }

            // Until compilers and caches have settled nothing counts.
            for (var (begin, steps) = (Stopwatch.GetTimestamp(), 1); Stopwatch.GetElapsedTime(begin).TotalSeconds < 3; steps = Steps(200_000))
            {
                estimate = Ask(steps.ToString(CultureInfo.InvariantCulture));
            }
        }

        public static Player Ours(string mode, Configuration configuration, Dictionary<string, string> environment) =>
            new("GradScope", Environment.ProcessPath!, [.. Host(), "step-worker", mode, .. configuration.Arguments], environment);

        /// <summary>Of a step, in microseconds, turn by turn.</summary>
        public List<double> Times { get; } = [];

        public void Play(double microseconds) => Times.Add(estimate = Ask(Steps(microseconds).ToString(CultureInfo.InvariantCulture)));

        public double Ask(string question)
        {
            process.StandardInput.WriteLine(question);
            return double.Parse(process.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
        }

        public Result End(string name)
        {
            var kilobytes = Ask("end");
            return new(name, who, Times.Order().ElementAt(Times.Count / 2), Times.Min(), kilobytes / 1024);
        }

        public void Dispose()
        {
            process.Kill();
            process.Dispose();
        }

        /// <summary>What dotnet itself needs to run this program, where it was not started by its own executable.</summary>
        private static string[] Host() =>
            Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(Player).Assembly.Location] : [];

        private int Steps(double microseconds) => Math.Max(1, (int)(microseconds / estimate));
    }
}
