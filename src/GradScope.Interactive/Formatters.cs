using System.Net;
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
            Show<Run>(run => run.ToFigure());
            Show<Trainer>(trainer => trainer.Run.ToFigure());
            Show<GradientCheck>(check => check.ToFigure());
            Add<Metrics>(metrics => InLine(metrics.ToString()));
            Add<LiveView>(view => (view.Html, view.Text));
            return registered.Count;
        }
    }

    private static void Show<T>(Func<T, Figure> draw)
        where T : notnull => Add<T>(value =>
        {
            // One number reads best as itself.
            if (value is Tensor { Length: 1 } or Node { Shape.ElementCount: 1 })
            {
                return InLine(value.ToString()!);
            }

            var figure = draw(value);
            return (figure.Html, figure.Text);
        });

    private static (string Html, string Text) InLine(string text) => ($"<code>{WebUtility.HtmlEncode(text)}</code>", text);

    private static void Add<T>(Func<T, (string Html, string Text)> render)
        where T : notnull
    {
        Formatter.Register<T>((value, writer) => writer.Write(Render(value).Html), HtmlFormatter.MimeType);
        Formatter.Register<T>((value, writer) => writer.Write(Render(value).Text), PlainTextFormatter.MimeType);
        Formatter.SetPreferredMimeTypesFor(typeof(T), HtmlFormatter.MimeType, PlainTextFormatter.MimeType);
        registered.Add(typeof(T));

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
