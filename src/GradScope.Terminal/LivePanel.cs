using GradScope.Figures;
using GradScope.Interactive;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace GradScope.Terminal;

/// <summary>A live view in characters: a bar of progress, a sparkline for each measurement, a bar for each place on the residual stream.</summary>
internal static class LivePanel
{
    private const int Bar = 48, FlowBar = 24;

    public static IRenderable Of(LiveView view)
    {
        if (view.Frame is not { } frame)
        {
            return new Text(view.Text);
        }

        var rows = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().NoWrap());
        if (frame.Run.Metrics is [.., var last])
        {
            if (frame.Parts.HasFlag(LiveParts.Loss))
            {
                Add("loss", frame.Run.Metrics.Select(m => m.Loss), $"{Numbers.Short(last.Loss)} nats{Baseline(frame.Run)}", Color.Red);
                Add("accuracy", frame.Run.Metrics.Select(m => m.Accuracy), Numbers.Percent(last.Accuracy), Color.DodgerBlue1);
            }

            if (frame.Parts.HasFlag(LiveParts.GradientNorms)) Add("gradient norm", frame.Run.Metrics.Select(m => Math.Log10(m.GradientNorm)), Numbers.Short(last.GradientNorm), Color.DarkOrange);
        }

        if (frame.Parts.HasFlag(LiveParts.GradientFlow) && frame.Probe?.GradientFlow() is { BackwardHasRun: true } flow)
        {
            var scale = LogScale.Of([.. flow.Stations.Select(s => s.GradNorm)]);
            foreach (var station in flow.Stations)
            {
                var length = station.GradNorm is > 0 and var norm ? 1 + (int)(scale.At(norm) * (FlowBar - 1)) : 0;
                rows.AddRow(new Text(station.Name), new Text(new string('█', length), new Style(Color.DarkOrange)), new Text(station.GradNorm is { } number ? "‖∂L/∂x‖ " + Numbers.Short(number) : "frozen before"));
            }
        }

        return new Rows(new Text("Training: " + frame.Run.Task, new Style(decoration: Decoration.Bold)), Progress(frame.Progress), rows);

        void Add(string name, IEnumerable<double> values, string number, Color color) =>
            rows.AddRow(new Text(name), new Text(TrainingFigure.Sparkline([.. values]), new Style(color)), new Text(number, new Style(color)));
    }

    private static string Baseline(Run run) =>
        run.Baselines.Where(b => double.IsFinite(b.Loss)).MinBy(b => b.Loss) is { } best ? $" ({best.Name} {Numbers.Short(best.Loss)})" : "";

    private static IRenderable Progress(LiveProgress progress)
    {
        if (progress.Share is not { } share) return new Text(progress.ToString());

        var done = (int)Math.Round(share * Bar);
        return new Paragraph().Append(new string('━', done), new Style(Color.DodgerBlue1)).Append(new string('━', Bar - done), new Style(Color.Grey39)).Append("  " + progress);
    }
}
