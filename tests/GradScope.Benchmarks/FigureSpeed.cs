using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using GradScope.Cli;

namespace GradScope.Benchmarks;

/// <summary>How long each figure takes to draw, and the size of its HTML: of the teaching model, and of a deep one that is thinned.</summary>
internal static class FigureSpeed
{
    private const int Rounds = 15;

    public static void Run()
    {
        var names = Names.Load(Path.Combine(Here(), "..", "..", "notebooks", "data", "names.txt"));
        var (frame, run) = Showcase.Train(names, Showcase.TeachingSize, 200, frameEvery: 1);
        Console.WriteLine($"{"",-38}{"median",10}{"first",10}{"size",10}   of {Rounds} drawings");
        Each($"teaching: 2 layers, 2 heads, {frame.Tokens.Length} positions, width 16", frame, run);
        Each("deep: 12 layers, 12 heads, 256 positions, width 96", Showcase.Deep(), null);
    }

    private static void Each(string heading, Frame frame, Run? run)
    {
        Console.WriteLine(heading);
        Time("model", frame.Model.ToFigure);
        Time("tape", frame.Tape.ToFigure);
        Time("gradient flow", o => frame.GradientFlow().ToFigure(o));
        Time("attention", o => frame.Attention().ToFigure(o));
        Time("predictions", o => frame.Predictions().ToFigure(o));
        Time("tensor: blocks.0.attn.pattern", frame.Tape["blocks.0.attn.pattern"].ToFigure);
        Time("tensor: blocks.0.mlp.post", frame.Tape["blocks.0.mlp.post"].ToFigure);
        Time("backprop player", frame.ToFigure);
        if (run is null) return;

        Time("run player, a picture of each step", run.ToPlayer);

        Time("training", run.ToFigure);
        Time("gradient history", run.ToGradientHistoryFigure);
        Time("gradient check", Showcase.Micrograd().CheckGradients().ToFigure);
    }

    private static void Time(string name, Func<FigureOptions?, Figure> draw)
    {
        var size = 0;
        var times = new double[Rounds];
        for (var i = 0; i < Rounds; i++)
        {
            var start = Stopwatch.GetTimestamp();
            size = Encoding.UTF8.GetByteCount(draw(null).Html);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Console.WriteLine(FormattableString.Invariant($"  {name,-36}{times.Order().ElementAt(Rounds / 2),7:0.0} ms{times[0],7:0} ms{size / 1000.0,7:0} KB"));
    }

    private static string Here([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
