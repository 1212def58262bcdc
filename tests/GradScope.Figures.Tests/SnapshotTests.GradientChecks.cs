namespace GradScope.Figures.Tests;

/// <summary>
/// The gradient check's figure. Its errors are rounding, which is another on each kind of CPU, so the snapshots are of made-up numbers;
/// real checks are asserted by what they contain.
/// </summary>
public sealed partial class SnapshotTests
{
    [Theory]
    [InlineData("gradient-check", false)]
    [InlineData("gradient-check-sweep", true)]
    public void Gradient_check_is_as_committed(string name, bool sweep)
    {
        var figure = MadeUp(sweep).ToFigure();
        Compare(name + ".svg", figure.Svg);
        Compare(name + ".txt", figure.Text + "\n");
    }

    [Fact]
    public void Gradient_check_draws_what_differs_first()
    {
        var svg = MadeUp(sweep: false).ToFigure().Svg;
        Assert.True(svg.IndexOf("✗ differs", StringComparison.Ordinal) < svg.IndexOf("✓ agrees", StringComparison.Ordinal));
    }

    [Fact]
    public void Gradient_check_of_a_transformer_writes_every_name_in_full()
    {
        var check = new MiniTransformer(vocabSize: 7, modelDim: 8, layers: 2, contextLength: 6).CheckGradients([[0, 3, 6, 1]], [[3, 6, 1, 3]], sweep: true);
        var svg = check.ToFigure().Svg;
        Assert.All(check.Rows, row => Assert.Contains($">{row.Name}</text>", svg));
    }

    private static GradientCheck MadeUp(bool sweep)
    {
        return new(
        [
            Row("blocks.0.attn.scores → blocks.0.attn.q", "HeadScores", [2, 5, 8], 1.2345, 1.2344),
            Row("h → x", "Tanh", [4], -0.5, -0.51),
            Row("embed.weight", "Parameter", [7, 8], 0.75, 0.75),
            Row("x", "Variable", [4], 3e-5, 2.9e-5),
        ]);

        GradientCheckRow Row(string name, string operation, Shape shape, double received, double expected)
        {
            var row = new GradientCheckRow(name, operation, shape, received, expected, 1e-7);
            return row with
            {
                Sweep = sweep
                    ? [.. Enumerable.Range(1, 6).Select(i => Math.Pow(10, -i)).Select(h => new GradientCheckStep(h, Math.Max(row.RelativeError, h * h / 6 + 1e-7 / h)))]
                    : [],
            };
        }
    }
}
