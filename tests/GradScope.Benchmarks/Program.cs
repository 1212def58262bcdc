using BenchmarkDotNet.Running;
using GradScope.Benchmarks;

switch (args.FirstOrDefault())
{
    case "product":
        ProductSpeed.Run(args.AsSpan(1));
        break;
    case "live":
        await LiveOverhead.Run();
        break;
    case "figures":
        FigureSpeed.Run();
        break;
    case "handoff":
        HandOff.Run();
        break;
    case "statistics":
        BenchmarkSwitcher.FromAssembly(typeof(ProductBenchmark).Assembly).Run(args[1..]);
        break;
    case "results":
        Results.Run(args.AsSpan(1));
        break;
    case "step" or "step-worker":
        return StepSpeed.Run(args);
    default:
        Console.Error.WriteLine("""
            dotnet run -c Release --project tests/GradScope.Benchmarks -- <what>

            product [rounds] [name]   the matrix products of a training step, in GFLOP/s and in per cent of this machine's peak
            step [--json FILE] [name] a whole training step beside PyTorch's (Debian's python3-torch), in turn
            results [name]            published training results (sort, repeated, induction, addition, nanogpt), from the repository's root
            live                      what a live view costs the training that it shows
            figures                   how long each figure takes to draw, and how large it is
            handoff                   what the second thread costs
            statistics …              the same by BenchmarkDotNet, with its options (--filter, --job, …)
            """);
        return 2;
}

return 0;
