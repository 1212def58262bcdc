using System.IO.Compression;
using System.Net;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using GradScope.Figures;
using XPlot.Plotly;

namespace GradScope.Interactive;

/// <summary>
/// An XPlot chart as HTML without a network: its still picture, which is all that is seen where scripts do not run, and a script that
/// makes it interactive with the plotly.js which the Plotly.NET package carries, packed and written into one output of a notebook.
/// </summary>
internal static class ChartView
{
    private static readonly Lazy<string> plotly = new(PackPlotly);
    private static readonly Lazy<string> script = new(() => new StreamReader(Resource(typeof(ChartView).Assembly, "chart.js")).ReadToEnd());
    private static int isWritten;

    /// <summary>A new notebook begins: its first chart carries plotly.js.</summary>
    public static void BeginNotebook() => isWritten = 0;

    public static (string Html, string Text) Show(PlotlyChart chart)
    {
        var spec = PlotlySpec.Of(chart);
        var figure = spec.ToFrame() is { } frame ? ChartFigure.Draw(frame) : null;
        var text = figure?.Text ?? "A chart of a kind that GradScope draws no still picture of; it appears where scripts run.";
        var json = spec.Json;
        var id = "gs-chart-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(json)).AsSpan(0, 4));
        var html = new StringBuilder($"<div class=\"gs-chart\" data-gs-chart=\"{id}\">")
            .Append("<div class=\"gs-chart-still\">").Append(figure?.Html ?? WebUtility.HtmlEncode(text)).Append("</div>")
            .Append("<script type=\"application/json\">").Append(json).Append("</script>");
        if (Interlocked.Exchange(ref isWritten, 1) == 0)
        {
            html.Append("<script type=\"text/plain\" class=\"gs-plotly\">").Append(plotly.Value).Append("</script>");
        }

        html.Append("<script>").Append(script.Value).Append("</script></div>");
        return (html.ToString(), text);
    }

    private static string PackPlotly()
    {
        var assembly = Assembly.Load("Plotly.NET");
        var name = assembly.GetManifestResourceNames().First(n => n.EndsWith(".min.js", StringComparison.Ordinal));
        using var source = Resource(assembly, name);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize))
        {
            source.CopyTo(gzip);
        }

        return Convert.ToBase64String(packed.ToArray());
    }

    private static System.IO.Stream Resource(Assembly assembly, string name) => assembly.GetManifestResourceStream(name)
        ?? throw new InvalidOperationException($"{assembly.GetName().Name} carries no {name}.");
}
