using GradScope.Figures;

namespace GradScope;

/// <summary>The figure of anything recorded: <c>frame.GradientFlow().ToFigure().SaveHtml("flow.html")</c>.</summary>
public static class FigureExtensions
{
    /// <inheritdoc cref="GradientFlowFigure.Draw"/>
    public static Figure ToFigure(this GradientFlowFrame frame, FigureOptions? options = null) => GradientFlowFigure.Draw(frame, options);

    /// <inheritdoc cref="BackpropPlayer.Draw(Frame, FigureOptions?)"/>
    public static Figure ToFigure(this Frame frame, FigureOptions? options = null) => BackpropPlayer.Draw(frame, options);

    /// <inheritdoc cref="BackpropPlayer.Draw(TapeFrame, FigureOptions?)"/>
    public static Figure ToPlayer(this TapeFrame tape, FigureOptions? options = null) => BackpropPlayer.Draw(tape, options);

    /// <inheritdoc cref="TapeFigure.Draw"/>
    public static Figure ToFigure(this TapeFrame tape, FigureOptions? options = null) => TapeFigure.Draw(tape, options);

    /// <inheritdoc cref="AttentionFigure.Draw"/>
    public static Figure ToFigure(this AttentionFrame frame, FigureOptions? options = null) => AttentionFigure.Draw(frame, options);

    /// <inheritdoc cref="TrainingFigure.Draw"/>
    public static Figure ToFigure(this Run run, FigureOptions? options = null) => TrainingFigure.Draw(run, options);

    /// <inheritdoc cref="RunPlayer.Draw"/>
    public static Figure ToPlayer(this Run run, FigureOptions? options = null) => RunPlayer.Draw(run, options);

    /// <summary>How strongly the loss pulled at each parameter over the run.</summary>
    public static Figure ToGradientHistoryFigure(this Run run, FigureOptions? options = null) => GradientHistoryFigure.Draw(run, options);

    /// <inheritdoc cref="PredictionsFigure.Draw"/>
    public static Figure ToFigure(this PredictionFrame frame, FigureOptions? options = null) => PredictionsFigure.Draw(frame, options);

    /// <summary>The tensor as a heatmap, with its histogram and statistics.</summary>
    public static Figure ToFigure(this Tensor value, string? name = null, FigureOptions? options = null) => TensorFigure.Draw(value, null, name, options);

    /// <summary>The node's value, and its gradient where backward has run.</summary>
    /// <exception cref="InvalidOperationException">Only the node's norms were recorded.</exception>
    public static Figure ToFigure(this NodeFrame node, FigureOptions? options = null) => TensorFigure.Draw(
        node.Value ?? throw new InvalidOperationException($"ToFigure: of {node.Label} only the norms were recorded; record it with its numbers (parameterTensors: true)."),
        node.Grad, node.Label, options);

    /// <inheritdoc cref="ModelFigure.Draw"/>
    public static Figure ToFigure(this ModelFrame model, FigureOptions? options = null) => ModelFigure.Draw(model, options);

    /// <inheritdoc cref="GradientCheckFigure.Draw"/>
    public static Figure ToFigure(this GradientCheck check, FigureOptions? options = null) => GradientCheckFigure.Draw(check, options);
}
