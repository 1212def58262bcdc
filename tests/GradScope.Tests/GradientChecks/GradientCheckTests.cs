using System.Globalization;
using GradScope.Tests.Parity;
using Xunit.Abstractions;

namespace GradScope.Tests.GradientChecks;

/// <summary>Backward against sixth-order central differences of the engine's own forward.</summary>
public class GradientCheckTests(ITestOutputHelper output)
{
    private static readonly TransformerConfig Base = new()
    {
        VocabSize = 7,
        ModelDim = 8,
        HeadCount = 2,
        LayerCount = 2,
        ContextLength = 6,
        InitScale = 0.3f,
    };

    /// <summary>One model for each value of each option.</summary>
    private static readonly Dictionary<string, TransformerConfig> Options = new()
    {
        ["the base"] = Base,
        ["GELU by tanh"] = Base with { Activation = Activation.GeluTanh },
        ["ReLU"] = Base with { Activation = Activation.Relu },
        ["RMSNorm"] = Base with { Norm = Norm.RmsNorm },
        ["no norm"] = Base with { Norm = Norm.None },
        ["post-norm"] = Base with { NormPlacement = NormPlacement.Post },
        ["post-norm of RMSNorm"] = Base with { NormPlacement = NormPlacement.Post, Norm = Norm.RmsNorm },
        ["sinusoidal positions"] = Base with { Positions = Positions.Sinusoidal },
        ["no positions"] = Base with { Positions = Positions.None },
        ["full attention"] = Base with { Causal = false },
        ["no biases"] = Base with { Biases = false },
        ["tied embeddings"] = Base with { TiedEmbeddings = true },
        ["dropout"] = Base with { Dropout = 0.3f },
        ["attention only"] = Base with { MlpDim = 0 },
        ["a narrow MLP"] = Base with { MlpDim = 5 },
        ["one head"] = Base with { HeadCount = 1 },
        ["one layer"] = Base with { LayerCount = 1 },
        ["larger weights"] = Base with { InitScale = 0.5f },
        ["another seed"] = Base with { Seed = 2 },
    };

    /// <summary>Where scores are so large that softmax is a step, a difference says nothing of the derivative.</summary>
    public static TheoryData<string, string> Cases
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var reference in References.Operations.Where(r => !r.Case.Contains("large") && !r.Case.Contains("90")))
            {
                data.Add(reference.Operation, reference.Case);
            }

            return data;
        }
    }

    public static TheoryData<string> OptionNames => [.. Options.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_operations_backward_is_the_derivative_of_its_forward(string operation, string @case)
    {
        var recorded = RecordedCase.Of(References.Operations.Single(r => r.Operation == operation && r.Case == @case));
        recorded.Tape.Backward(recorded.Loss);
        AssertPasses(recorded.Tape.CheckGradients());
    }

    [Theory]
    [InlineData(5, 7, false)]
    [InlineData(3, 40, false)]
    [InlineData(5, 7, true)]
    public void Dropouts_backward_is_the_derivative_of_its_forward_under_one_mask(int rows, int columns, bool inputIsUsedAgain)
    {
        var tape = new Tape();
        var x = tape.Variable(Tensor.Normal([rows, columns], seed: 1));
        var y = x.Dropout(0.4f, seed: 2);
        tape.Backward((y * (inputIsUsedAgain ? x : y)).Sum());
        var mask = y.Value.Values.ToArray().Select(value => value != 0).ToArray();
        Assert.Contains(true, mask);
        Assert.Contains(false, mask);

        AssertPasses(tape.CheckGradients());
        Assert.Equal(mask, y.Value.Values.ToArray().Select(value => value != 0));
    }

    [Theory]
    [MemberData(nameof(OptionNames))]
    public void A_model_of_each_option_passes(string option)
    {
        var tape = Record(Options[option]);
        tape.Backward(tape["loss"]);
        AssertPasses(tape.CheckGradients());
    }

    [Fact]
    public void Each_option_changes_the_loss()
    {
        var losses = Options.ToDictionary(option => option.Key, option => (float)Record(option.Value)["loss"].Value);
        foreach (var (option, loss) in losses)
        {
            var same = losses.Where(other => other.Key != option && Math.Abs(other.Value - loss) < 1e-6).Select(other => other.Key);
            Assert.True(!same.Any(), $"{option} has the loss of {string.Join(", ", same)}: {loss.ToString(CultureInfo.InvariantCulture)}.");
        }
    }

    [Fact]
    public void A_derivative_that_is_off_by_a_hundredth_is_found()
    {
        var tape = new Tape();
        var x = tape.Variable(Tensor.Normal([4, 5], seed: 1), "x");
        var wrong = tape.Record(new OffByAHundredth(x));
        tape.Backward((wrong * wrong).Sum());
        var check = tape.CheckGradients();
        Assert.False(check.Passed);
        Assert.Equal("OffByAHundredth", check.Rows.First(row => !row.Passed).Operation);
    }

    [Fact]
    public void A_wrong_backward_in_the_middle_of_a_model_is_found_where_it_is()
    {
        var model = new MiniTransformer(Base);
        var tape = new Tape();
        var tokens = tape.Constant(new Tensor([2, 5], 0, 3, 6, 1, 3, 5, 5, 2, 0, 4), "tokens");
        var targets = tape.Constant(new Tensor([2, 5], 3, 6, 1, 3, -1, 5, 2, 0, 4, 1), "targets");
        var before = model.Blocks[0].Forward(tape.Use(model["embed.weight"]).Rows(tokens), default);
        var after = model.Blocks[1].Forward(tape.Record(new OffByAHundredth(before)), default);
        tape.Backward(after.MatMul(tape.Use(model["unembed.weight"])).CrossEntropy(targets));

        var failed = tape.CheckGradients().Rows.Where(row => !row.Passed).ToArray();
        Assert.Equal("OffByAHundredth", Assert.Single(failed, row => row.Operation != "Parameter").Operation);

        // The gradient of the whole tape is wrong for what stands before the operation, and for nothing behind it.
        Assert.Contains(failed, row => row.Name == "blocks.0.attn.wo.weight");
        Assert.All(failed.Where(row => row.Operation == "Parameter"), row => Assert.True(row.Name == "embed.weight" || row.Name.StartsWith("blocks.0.", StringComparison.Ordinal), row.Name));
    }

    [Fact]
    public void A_models_check_has_a_row_for_each_parameter_and_changes_no_value()
    {
        var model = new MiniTransformer(Base);
        var before = model.Parameters.Select(p => p.Value.Values.ToArray()).ToArray();
        var check = model.CheckGradients([[0, 3, 6, 1]], [[3, 6, -1, 3]]);
        Assert.True(check.Passed);
        Assert.Equal(model.Parameters.Select(p => p.Name).Order(), check.Rows.Where(row => row.Operation == "Parameter").Select(row => row.Name).Order());
        Assert.Equal(before, model.Parameters.Select(p => p.Value.Values.ToArray()));
        Assert.All(check.Rows, row => Assert.Empty(row.Sweep));
    }

    /// <summary>d tanh: the error of a central difference is h²·f‴/6 where steps are long, and rounding over h where they are short.</summary>
    [Fact]
    public void A_sweeps_error_falls_with_the_square_of_the_step_and_rises_again()
    {
        var tape = new Tape();
        var x = tape.Variable(Tensor.Normal([40], seed: 1), "x");
        tape.Backward(x.Tanh().Sum());
        var sweep = tape.CheckGradients(sweep: true).Rows.First(row => row.Operation == "Tanh").Sweep;
        Assert.Equal((0.1f, 1e-6f), ((float)sweep[0].Size, (float)sweep[^1].Size));
        Assert.InRange(sweep[0].RelativeError / sweep[2].RelativeError, 50, 200);
        var least = sweep.MinBy(step => step.RelativeError);
        Assert.InRange(least.Size, 2e-5, 0.02);
        Assert.True(sweep[^1].RelativeError > 10 * least.RelativeError);
    }

    [Fact]
    public void A_wrong_gradients_error_stays_at_every_step_size()
    {
        var tape = new Tape();
        var wrong = tape.Record(new OffByAHundredth(tape.Variable(Tensor.Normal([4, 5], seed: 1), "x")));
        tape.Backward(wrong.Sum());
        var row = tape.CheckGradients(sweep: true).Rows.First(row => row.Operation == "OffByAHundredth");
        Assert.All(row.Sweep.Where(step => step.Size >= 1e-4), step => Assert.InRange(step.RelativeError, 0.005, 0.02));
    }

    private static Tape Record(TransformerConfig config)
    {
        var model = new MiniTransformer(config);
        foreach (var bias in model.Parameters.Where(p => p.Name.EndsWith(".bias", StringComparison.Ordinal)))
        {
            // They start at 0, where having them or not makes no difference.
            bias.Set(Tensor.Normal(bias.Shape, seed: 3, scale: 0.1f));
        }

        var tape = new Tape();
        var tokens = tape.Constant(new Tensor([2, 5], 0, 3, 6, 1, 3, 5, 5, 2, 0, 4), "tokens");
        var targets = tape.Constant(new Tensor([2, 5], 3, 6, 1, 3, -1, 5, 2, 0, 4, 1), "targets");
        model.Forward(tape, tokens, training: true).CrossEntropy(targets).As("loss");
        return tape;
    }

    /// <summary>
    /// Each row within <see cref="GradientCheckRow.Tolerance"/>, 1e-3, or what float32's rounding of the forward pass leaves open
    /// in the differences. A row of which rounding leaves more than a fifth open proves nothing and fails, but for key biases:
    /// a number added to all of a query's scores leaves its pattern as it was, so their gradient is 0.
    /// </summary>
    private void AssertPasses(GradientCheck check)
    {
        Assert.NotEmpty(check.Rows);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"largest relative error {check.LargestError:0.0e-0} of {check.Rows.Length} gradients"));
        var failed = check.Rows
            .Where(row => !row.Passed || (row.Uncertainty > 0.2 * Math.Abs(row.Expected) && !row.Name.EndsWith("attn.wk.bias", StringComparison.Ordinal)))
            .Select(row => string.Create(CultureInfo.InvariantCulture,
                $"{row.Operation} {row.Name} {row.Shape}: received {row.Received:g7}, expected {row.Expected:g7} ± {row.Uncertainty:g2}, relative error {row.RelativeError:0.0e-0}"));
        Assert.True(!failed.Any(), string.Join(Environment.NewLine, failed));
    }

    /// <summary>y = x², with the derivative 2.02x.</summary>
    private sealed class OffByAHundredth(Node x) : Node(x.Tape, x.Shape, x)
    {
        public override string Formula => "x²";

        public override IReadOnlyList<string> BackwardRule => ["G · 2.02x"];

        private protected override string OperationName => "OffByAHundredth";

        internal override void Forward()
        {
            for (var i = 0; i < V.Length; i++)
            {
                V[i] = x.V[i] * x.V[i];
            }
        }

        internal override void Backward()
        {
            for (var i = 0; i < G.Length; i++)
            {
                x.G[i] += G[i] * 2.02f * x.V[i];
            }
        }
    }
}
