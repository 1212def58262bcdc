using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using GradScope.Figures;
using Microsoft.AspNetCore.Html;

namespace GradScope.Interactive;

/// <summary>
/// What a live output shows at one moment, as HTML and in words. It is HTML content, which every notebook host shows as it stands,
/// also one that does not know GradScope's formatters.
/// </summary>
public sealed class LiveView : IHtmlContent
{
    private LiveView(string html, string text, LiveFrame? frame)
    {
        (Html, Text, Frame) = (html, text, frame);
        Size = Encoded(html) + Encoded(text);
    }

    /// <summary>One element, complete without script and network.</summary>
    public string Html { get; }

    /// <summary>The same in plain text.</summary>
    public string Text { get; }

    /// <summary>Whether nothing follows it in its output.</summary>
    public bool IsFinished { get; private init; }

    /// <summary>What it was drawn from; null for a finished figure and for a failure.</summary>
    internal LiveFrame? Frame { get; }

    /// <summary>How many bytes a host sends for it, about: UTF-8, with what JSON escapes counted twice.</summary>
    internal int Size { get; }

    /// <inheritdoc/>
    public void WriteTo(TextWriter writer, HtmlEncoder encoder) => writer.Write(Html);

    /// <summary>The same as <see cref="Text"/>.</summary>
    public override string ToString() => Text;

    internal static LiveView Of(LiveFrame frame, FigureOptions? options)
    {
        var figure = LiveFigure.Draw(frame, options);
        return new(figure.Html, figure.Text, frame);
    }

    internal static LiveView Finished(Figure figure) => new(figure.Html, figure.Text, null) { IsFinished = true };

    internal static LiveView Note(string text) =>
        new($"<pre style=\"white-space:pre-wrap\">{WebUtility.HtmlEncode(text)}</pre>", text, null) { IsFinished = true };

    internal static LiveView Failure(string what, Exception exception, bool isFinished)
    {
        var (html, text) = Interactive.Failure.Show(what, exception);
        return new(html, text, null) { IsFinished = isFinished };
    }

    private static int Encoded(string text) => Encoding.UTF8.GetByteCount(text) + text.AsSpan().Count('"') + text.AsSpan().Count('\n');
}
