using GradScope.Figures;

namespace GradScope;

/// <summary>The figure of anything recorded: <c>frame.GradientFlow().ToFigure().SaveHtml("flow.html")</c>.</summary>
public static class FigureExtensions
{
    /// <inheritdoc cref="GradientFlowFigure.Draw"/>
    public static Figure ToFigure(this GradientFlowFrame frame, FigureOptions? options = null) => GradientFlowFigure.Draw(frame, options);

    /// <inheritdoc cref="TapeFigure.Draw"/>
    public static Figure ToFigure(this TapeFrame tape, FigureOptions? options = null) => TapeFigure.Draw(tape, options);

    /// <inheritdoc cref="AttentionFigure.Draw"/>
    public static Figure ToFigure(this AttentionFrame frame, FigureOptions? options = null) => AttentionFigure.Draw(frame, options);

    /// <inheritdoc cref="TrainingFigure.Draw"/>
    public static Figure ToFigure(this Run run, FigureOptions? options = null) => TrainingFigure.Draw(run, options);
}
