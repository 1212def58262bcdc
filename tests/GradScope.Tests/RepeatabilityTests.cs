using GradScope.Tests.Kernels;

namespace GradScope.Tests;

/// <summary>What runs on one and on two threads have in common, and on vectors of other widths.</summary>
[Collection(nameof(Alone))]
public class RepeatabilityTests
{
    /// <summary>Wide enough that products, rows and the optimiser's update are shared out.</summary>
    [Theory]
    [InlineData(Activation.Gelu, Norm.LayerNorm, 0f)]
    [InlineData(Activation.Relu, Norm.RmsNorm, 0.1f)]
    public void One_and_two_threads_train_the_same_model_to_the_bit(Activation activation, Norm norm, float dropout)
    {
        var one = Alone.WithThreads(1, Train);
        Assert.All(Alone.WithShares(Train), two =>
        {
            Assert.Equal(one.Losses, two.Losses);
            Assert.Equal(one.Norms, two.Norms);
            Assert.Equal(one.Weights, two.Weights);
        });

        (double[] Losses, double[] Norms, float[] Weights) Train()
        {
            var model = Model(96, heads: 4, activation, norm, dropout);
            var trainer = new Trainer(model, TrainingTests.FewNames, seed: 5) { Optimizer = new AdamW(3e-3f), BatchSize = 64, ClipNorm = 1, ValidationEvery = 0 };
            trainer.Train(12);
            var run = trainer.Run;
            return ([.. run.Metrics.Select(m => m.Loss)], [.. run.Metrics.Select(m => m.GradientNorm)], [.. model.Parameters.SelectMany(p => p.Value.Values.ToArray())]);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Of_several_wrong_targets_the_first_is_named_whatever_the_threads(int threads) => Alone.WithThreads(threads, () =>
    {
        var (rows, columns) = (2000, 40);
        var targets = new float[rows];
        (targets[700], targets[1999]) = (40, -2);
        for (var repeat = 0; repeat < 20; repeat++)
        {
            var tape = new Tape();
            var logits = tape.Constant(new Tensor([rows, columns], new float[rows * columns]));
            var thrown = Assert.Throws<ArgumentException>(() => logits.CrossEntropy(tape.Constant(new Tensor([rows], targets))));
            Assert.Contains("target 40 at place 700", thrown.Message);
        }

        return true;
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Of_several_wrong_ids_the_first_is_named_whatever_the_threads(int threads) => Alone.WithThreads(threads, () =>
    {
        var ids = new float[2000];
        (ids[700], ids[1999]) = (40, -2);
        for (var repeat = 0; repeat < 20; repeat++)
        {
            var tape = new Tape();
            var table = tape.Constant(new Tensor([40, 64], new float[40 * 64]));
            var thrown = Assert.Throws<ArgumentException>(() => table.Rows(tape.Constant(new Tensor([2000], ids))));
            Assert.Contains("id 40 at place 700", thrown.Message);
        }

        return true;
    });

    /// <summary>A row of the table stands in many places, and a row of the positions belongs to every sequence.</summary>
    [Theory]
    [InlineData(96)]
    [InlineData(43)]
    public void Rows_that_are_used_often_sum_their_gradients_alike_on_one_and_two_threads(int width)
    {
        var random = new Random(8);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
        float[] ids = [.. Enumerable.Range(0, 20 * 40).Select(_ => (float)random.Next(50))];
        var (table, positions, scales, factors) = (Values(50 * width), Values(40 * width), Values(40), Values(20 * 40 * width));
        var one = Alone.WithThreads(1, Gradients);
        Assert.All(Alone.WithShares(Gradients), two => Assert.Equal(one, two));

        for (var p = 0; p < 40; p++)
        {
            for (var j = 0; j < width; j++)
            {
                double At(int sequence) => factors[(sequence * 40 + p) * width + j];
                Assert.Equal(scales[p] * Enumerable.Range(0, 20).Sum(At), one[50 * width + p * width + j], 1e-5);
            }
        }

        for (var id = 0; id < 50; id++)
        {
            var expected = Enumerable.Range(0, ids.Length).Where(i => ids[i] == id).Sum(i => (double)factors[i * width + 3] * scales[i % 40]);
            Assert.Equal(expected, one[id * width + 3], 1e-5);
        }

        float[] Gradients()
        {
            var tape = new Tape();
            var (t, p, s) = (tape.Variable(new Tensor([50, width], table)), tape.Variable(new Tensor([40, width], positions)), tape.Variable(new Tensor([40, 1], scales)));
            var x = (t.Rows(tape.Constant(new Tensor([20, 40], ids))) + p) * s;
            tape.Backward((x * tape.Constant(new Tensor([20, 40, width], factors))).Sum());
            return [.. t.Grad.Values, .. p.Grad.Values, .. s.Grad.Values];
        }
    }

    [Theory]
    [MemberData(nameof(LanesTests.Widths), MemberType = typeof(LanesTests))]
    public void Every_width_of_vector_gives_the_same_results_within_rounding(int width)
    {
        foreach (var (activation, norm) in new[] { (Activation.Gelu, Norm.LayerNorm), (Activation.GeluTanh, Norm.RmsNorm), (Activation.Relu, Norm.LayerNorm) })
        {
            var widest = Pass(Lanes.Width, activation, norm);
            var narrow = Pass(width, activation, norm);
            Assert.Equal(widest.Keys, narrow.Keys);
            Assert.All(widest.Keys, name => Assert.True(Distance(widest[name], narrow[name]) <= 1e-5 * Distance(widest[name], []) + 1e-7, name));
        }
    }

    private static MiniTransformer Model(int width, int heads, Activation activation, Norm norm, float dropout = 0) => new(new TransformerConfig
    {
        VocabSize = TrainingTests.FewNames.VocabSize,
        ModelDim = width,
        HeadCount = heads,
        LayerCount = 2,
        ContextLength = 8,
        Activation = activation,
        Norm = norm,
        Dropout = dropout,
        Seed = 3,
    });

    /// <summary>All values and gradients of one training step, and the weights after it.</summary>
    private static Dictionary<string, float[]> Pass(int width, Activation activation, Norm norm)
    {
        var before = Lanes.Width;
        Lanes.Width = width;
        try
        {
            var model = Model(20, heads: 2, activation, norm);
            var trainer = new Trainer(model, TrainingTests.FewNames, seed: 5) { Optimizer = new Sgd(0.1f), BatchSize = 8, Probe = "hanna" };
            var tensors = new Dictionary<string, float[]>();
            foreach (var node in trainer.Step().Tape.Nodes)
            {
                Keep($"{node.Index} {node.Label}", node.Value);
                Keep($"{node.Index} ∂{node.Label}", node.Grad);
            }

            foreach (var parameter in model.Parameters)
            {
                Keep($"{parameter.Name} after the step", parameter.Value);
            }

            return tensors;

            void Keep(string name, Tensor? tensor)
            {
                if (tensor is not null)
                {
                    tensors.Add(name, [.. tensor.Values.ToArray().Select(x => float.IsNegativeInfinity(x) ? 0 : x)]);
                }
            }
        }
        finally
        {
            Lanes.Width = before;
        }
    }

    /// <summary>‖a − b‖; an empty b stands for zeros.</summary>
    private static double Distance(float[] a, float[] b) =>
        Math.Sqrt(a.Select((x, i) => (double)x - (b.Length == 0 ? 0 : b[i])).Sum(d => d * d));
}
