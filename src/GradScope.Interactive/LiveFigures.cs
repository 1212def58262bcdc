using GradScope.Figures;

namespace GradScope;

/// <summary>Figures of live objects: each is recorded first, and drawn from that copy.</summary>
public static class LiveFigures
{
    /// <summary>The model's architecture.</summary>
    public static Figure ToFigure(this MiniTransformer model, FigureOptions? options = null) => Recorder.Capture(model).ToFigure(options);

    /// <summary>The tape's operations with their values and gradients as they are now.</summary>
    public static Figure ToFigure(this Tape tape, FigureOptions? options = null) => Recorder.Capture(tape).ToFigure(options);

    /// <summary>The node's value and, where backward has run, its gradient beside it.</summary>
    public static Figure ToFigure(this Node node, FigureOptions? options = null) =>
        TensorFigure.Draw(node.Value, node.RequiresGrad && node.Tape.BackwardHasRun ? node.Grad : null, node.Label, options);

    /// <summary>The parameter's numbers and, once a backward pass has run, their gradient beside them.</summary>
    public static Figure ToFigure(this Parameter parameter, FigureOptions? options = null) =>
        TensorFigure.Draw(parameter.Value, parameter.HasGrad ? parameter.Grad : null, parameter.Name, options);

    /// <summary>The training so far.</summary>
    public static Figure ToFigure(this Trainer trainer, FigureOptions? options = null) => trainer.Run.ToFigure(options);
}
