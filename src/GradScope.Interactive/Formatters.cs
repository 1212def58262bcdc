using System.Net;
using GradScope.Figures;
using Microsoft.DotNet.Interactive.Formatting;

namespace GradScope.Interactive;

/// <summary>
/// Binds each type worth showing to its figure, as text/html and text/plain. A formatter never throws, since that would fail
/// the user's whole cell: it shows what went wrong instead.
/// </summary>
public static class Formatters
{
    private static readonly List<Type> registered = [];
    private static readonly Lock gate = new();

    /// <summary>Registers all formatters with the host's <see cref="Formatter"/>, once a process.</summary>
    /// <returns>How many types have one.</returns>
    public static int Register()
    {
        lock (gate)
        {
            if (registered.Count > 0)
            {
                return registered.Count;
            }

            Show<Figure>(figure => figure);
            Show<MiniTransformer>(model => Recorder.Capture(model).ToFigure());
            Show<ModelFrame>(model => model.ToFigure());
            Show<Tape>(tape => Recorder.Capture(tape).ToFigure());
            Show<TapeFrame>(tape => tape.ToFigure());
            Show<Node>(node => node.ToFigure());
            Show<Parameter>(parameter => parameter.ToFigure());
            Show<Tensor>(tensor => tensor.ToFigure());
            Show<Frame>(frame => frame.ToFigure());
            Show<AttentionFrame>(attention => attention.ToFigure());
            Show<GradientFlowFrame>(flow => flow.ToFigure());
            Show<PredictionFrame>(predictions => predictions.ToFigure());
            Show<Run>(run => run.ToPlayer());
            Show<Trainer>(trainer => trainer.Run.ToFigure());
            Show<GradientCheck>(check => check.ToFigure());
            Show<Block>(block => Modules.Draw("Block", block));
            Show<MultiHeadAttention>(attention => Modules.Draw("Attention", attention));
            Show<Mlp>(mlp => Modules.Draw("MLP", mlp));
            Show<NormLayer>(norm => Modules.Draw("Norm", norm));
            Show<Linear>(linear => Modules.Draw("Linear map", linear));
            Add<Metrics>(metrics => InLine(metrics.ToString()));
            Add<XPlot.Plotly.PlotlyChart>(ChartView.Show);
            Add<LiveView>(view => (view.Html, view.Text));
            Add<IEnumerable<Parameter>>(parameters => Rendered(ParametersFigure.Draw("Parameters", Recorder.Capture(parameters))));
            Add<IEnumerable<Metrics>>(steps => Lines(string.Join('\n', steps)));
            return registered.Count;
        }
    }

    /// <summary>The types that have a formatter of their own, beside lists of them.</summary>
    public static IReadOnlyList<Type> Registered => registered;

    private static void Show<T>(Func<T, Figure> draw)
        where T : notnull
    {
        // One number reads best as itself.
        Add<T>(Draw);
        Add<IEnumerable<T>>(values => Several.Show(values, Draw));

        (string Html, string Text) Draw(T value) => value is Tensor { Length: 1 } or Node { Shape.ElementCount: 1 } ? InLine(value.ToString()!) : Rendered(draw(value));
    }

    private static (string Html, string Text) Rendered(Figure figure) => (figure.Html, figure.Text);

    private static (string Html, string Text) InLine(string text) => ($"<code>{WebUtility.HtmlEncode(text)}</code>", text);

    private static (string Html, string Text) Lines(string text) => ($"<pre>{WebUtility.HtmlEncode(text)}</pre>", text);

    private static void Add<T>(Func<T, (string Html, string Text)> render)
        where T : notnull
    {
        Formatter.Register<T>((value, writer) => writer.Write(Render(value).Html), HtmlFormatter.MimeType);
        Formatter.Register<T>((value, writer) => writer.Write(Render(value).Text), PlainTextFormatter.MimeType);
        Formatter.SetPreferredMimeTypesFor(typeof(T), HtmlFormatter.MimeType, PlainTextFormatter.MimeType);
        if (!typeof(T).IsInterface)
        {
            registered.Add(typeof(T));
        }

        (string Html, string Text) Render(T value)
        {
            try
            {
                return render(value);
            }
            catch (Exception exception)
            {
                return Failure.Show($"this {typeof(T).Name}", exception);
            }
        }
    }
}
