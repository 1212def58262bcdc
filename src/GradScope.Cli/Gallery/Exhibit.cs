namespace GradScope.Cli;

/// <summary>A figure on show.</summary>
/// <param name="Name">Its place in the page's address.</param>
/// <param name="Code">The C# that gives it.</param>
/// <param name="Caption">What to look for.</param>
/// <param name="Figure">The figure.</param>
internal sealed record Exhibit(string Name, string Code, string Caption, Figure Figure)
{
    /// <summary>Every figure there is, of one model and its training.</summary>
    public static IReadOnlyList<Exhibit> All(Showcase showcase)
    {
        var (frame, run) = showcase;
        return
        [
            new("player", "trainer.Step()", "One training step, operation by operation. Play it, or step with the arrow keys: values go forward to the loss, gradients come back. At an addition both inputs get the same gradient; where a value was used twice its gradients add up.", frame.ToFigure()),
            new("run", "trainer.Run", "The whole training at one cursor. Drag it, and see what changes together: the loss, where the heads look, how strong the gradient is, and what the model expects.", run.ToPlayer()),
            new("flow", "frame.GradientFlow()", "How much gradient reaches each place of the residual stream, and how much of it came through a branch rather than past it. A branch may work against the whole: then its part is negative.", frame.GradientFlow().ToFigure()),
            new("attention", "frame.Attention()", "Who looks at whom, and beside it how the loss would change if one looked more. Hatched cells are not allowed: the key comes after the query.", frame.Attention().ToFigure()),
            new("predictions", "frame.Predictions()", "What the model expects after each letter. An outline marks what came, where it is among the likeliest.", frame.Predictions().ToFigure()),
            new("training", "run.ToFigure()", "Loss, accuracy, gradient norm, update ratio and learning rate over the same steps. The dashed lines are what simpler models reach.", run.ToFigure()),
            new("history", "run.ToGradientHistoryFigure()", "How strongly the loss pulled at each parameter, step by step, on a log scale: compare the rows of a block, and the first steps with the last.", run.ToGradientHistoryFigure()),
            new("model", "model", "The architecture, with the names that code and tapes use. Look where the parameters are: most are in the MLPs.", frame.Model.ToFigure()),
            new("tensor", "frame.Tape[\"blocks.0.mlp.post\"]", "A value and its gradient, cell by cell: what the GELU let through, and how the loss would change with it.", frame.Tape["blocks.0.mlp.post"].ToFigure()),
            new("micrograd", "tape", "The example of micrograd's README, each operation with its value, its gradient and what its backward adds.", Recorder.Capture(Micrograd).ToFigure(new() { Title = "Tape of an expression" })),
            new("tape", "frame.Tape", "A transformer's whole tape. Read it down for forward and up for backward.", frame.Tape.ToFigure(new() { Title = "Tape of a transformer" })),
            new("check", "tape.CheckGradients()", "Backward held against differences of the forward pass: each gradient agrees to float32's rounding.", Micrograd.CheckGradients().ToFigure()),
        ];
    }

    private static Tape Micrograd => Showcase.Micrograd();
}
