using BenchmarkDotNet.Attributes;

namespace GradScope.Benchmarks;

/// <summary>The matrix products of a training step, one thread and two.</summary>
public class ProductBenchmark
{
    private Product product = null!;

    [ParamsSource(nameof(Names))]
    public string Name { get; set; } = "";

    [Params(1, 2)]
    public int Threads { get; set; }

    public static IEnumerable<string> Names => Product.All().Select(p => p.Name);

    [GlobalSetup]
    public void SetUp()
    {
        Workers.ThreadCount = Threads;
        product = Product.All().Single(p => p.Name == Name);
    }

    [Benchmark]
    public void Multiply() => product.Run();
}
