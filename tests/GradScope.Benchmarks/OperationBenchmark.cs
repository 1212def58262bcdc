using BenchmarkDotNet.Attributes;

namespace GradScope.Benchmarks;

/// <summary>Each operation's forward and backward at the shapes of the configuration teach: (16, 32, 64), its hidden layer and its attention maps.</summary>
public class OperationBenchmark
{
    private static readonly Dictionary<string, Func<Tape, Node>> operations = new()
    {
        ["Add"] = tape => Input(tape, 16, 32, 64) + Input(tape, 16, 32, 64),
        ["Add, broadcast"] = tape => Input(tape, 16, 32, 64) + Input(tape, 32, 64),
        ["Gelu"] = tape => Input(tape, 16, 32, 256).Gelu(),
        ["Relu"] = tape => Input(tape, 16, 32, 256).Relu(),
        ["Linear"] = tape => Input(tape, 16, 32, 64).Linear(Input(tape, 64, 256), Input(tape, 256)),
        ["LayerNorm"] = tape => Input(tape, 16, 32, 64).LayerNorm(Input(tape, 64), Input(tape, 64)),
        ["HeadScores"] = tape => Input(tape, 16, 32, 64).HeadScores(Input(tape, 16, 32, 64), 4, causal: false),
        ["CausalSoftmax"] = tape => Input(tape, 16, 4, 32, 32).CausalSoftmax(),
        ["HeadMix"] = tape => Input(tape, 16, 4, 32, 32).CausalSoftmax().HeadMix(Input(tape, 16, 32, 64)),
        ["CrossEntropy"] = tape => Input(tape, 16, 32, 65).CrossEntropy(tape.Constant(Tensor.Zeros([16, 32]))),
    };

    private Node node = null!;

    [ParamsSource(nameof(Names))]
    public string Name { get; set; } = "";

    [Params(1, 2)]
    public int Threads { get; set; }

    public static IEnumerable<string> Names => operations.Keys;

    [GlobalSetup]
    public void SetUp()
    {
        Workers.ThreadCount = Threads;
        var tape = new Tape();
        node = operations[Name](tape);
        tape.Backward(node.Shape == Shape.Scalar ? node : (node * Input(tape, [.. node.Shape])).Sum());
    }

    [Benchmark]
    public void Forward() => node.Forward();

    [Benchmark]
    public void Backward() => node.Backward();

    private static Leaf Input(Tape tape, params int[] sizes) => tape.Variable(Tensor.Normal(new Shape(sizes), (ulong)tape.Nodes.Count + 1));
}
