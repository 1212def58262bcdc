using GradScope.Testing;
using Microsoft.DotNet.Interactive.Formatting;
using XPlot.Plotly;

namespace GradScope.Interactive.Tests;

/// <summary>XPlot charts as a notebook shows them. One class, since plotly.js is written once a notebook.</summary>
public sealed class ChartTests : IClassFixture<Browser>
{
    private readonly Browser browser;

    public ChartTests(Browser browser)
    {
        Formatters.Register();
        this.browser = browser;
    }

    [Fact]
    public void Charts_of_a_run_hold_its_numbers()
    {
        var run = Trained.Run;
        var loss = PlotlySpec.Of(run.LossChart()).ToFrame()!;
        Assert.Equal(["train", "validation", .. run.Baselines.Select(b => b.Name)], loss.Traces.Select(t => t.Name));
        var train = Assert.IsType<Figures.LineTrace>(loss.Traces[0]);
        Assert.Equal(run.Metrics.Select(m => m.Loss), train.Y);
        Assert.Equal(run.Metrics.Select(m => (double)m.Step), train.X);
        Assert.Equal(("Loss: names", "step", "loss, nats"), (loss.Title, loss.X.Title, loss.Y.Title));

        var norms = PlotlySpec.Of(run.GradientNormChart()).ToFrame()!;
        Assert.True(norms.Y.IsLog);
        Assert.Equal(run.Metrics.Select(m => m.GradientNorm), Assert.IsType<Figures.LineTrace>(Assert.Single(norms.Traces)).Y);

        Assert.Empty(Assert.IsType<Figures.LineTrace>(PlotlySpec.Of((run with { Metrics = [] }).LossChart()).ToFrame()!.Traces[0]).Y);
    }

    [Fact]
    public void The_heatmap_of_attention_is_its_pattern_with_queries_downwards()
    {
        var attention = Trained.Frame.Attention();
        var frame = PlotlySpec.Of(attention.Heatmap(layer: 1, head: 1)).ToFrame()!;
        var heat = Assert.IsType<Figures.HeatTrace>(Assert.Single(frame.Traces));
        var pattern = attention.Layers[1].Pattern;
        Assert.Equal(pattern[1, 2, 1], (float)heat.Rows[2][1]);
        Assert.True(double.IsNaN(heat.Rows[0][1]));
        Assert.Equal((0, 1), (heat.Low, heat.High));
        Assert.True(frame.Y.IsReversed);
        Assert.Contains("layers 0, 1, not 7", Assert.Throws<ArgumentOutOfRangeException>(() => attention.Heatmap(7)).Message);
        Assert.Contains("heads 0 to 1, not 2", Assert.Throws<ArgumentOutOfRangeException>(() => attention.Heatmap(0, 2)).Message);
    }

    [Fact]
    public void The_still_picture_follows_what_a_user_restyles()
    {
        var chart = Trained.Run.LossChart();
        chart.WithTitle("My </script> loss");
        chart.WithXTitle("updates");
        chart.WithSize(500, 300);
        var html = chart.ToDisplayString("text/html");
        Assert.Contains("My &lt;/script&gt; loss", html);
        Assert.DoesNotContain("My </script>", html);
        Assert.Contains(">updates<", html);
        Assert.Contains("viewBox=\"0 0 500 ", html);

        var own = Chart.Plot([new Scatter { x = new[] { 1, 10, 100 }, y = new[] { 1.0, double.NaN, 3 }, name = "mine", mode = "lines+markers", line = new Line { color = "rebeccapurple", dash = "dot", width = 3 } }]);
        own.WithLayout(new Layout.Layout { title = "own", xaxis = new Xaxis { type = "log" }, yaxis = new Yaxis { range = new[] { 0, 5 } } });
        var svg = own.ToDisplayString("text/html");
        Assert.Contains("stroke=\"rebeccapurple\"", svg);
        Assert.Contains("stroke-dasharray=\"2 3\"", svg);
        Assert.Equal(2, svg.Split("<circle").Length - 1);

        // A colour that is none is not written.
        var odd = Chart.Plot([new Scatter { x = new[] { 1, 2 }, y = new[] { 1, 2 }, mode = "lines", line = new Line { color = "red\" onload=\"alert(1)" } }]);
        Assert.DoesNotContain("onload=\"alert", odd.ToDisplayString("text/html").Split("<script")[0]);

        var words = Chart.Plot([new Scatter { x = new[] { "a", "b" }, y = new[] { 1, 2 } }]);
        Assert.Contains(">b<", words.ToDisplayString("text/html"));
    }

    [Fact]
    public void A_chart_of_another_kind_says_so_and_one_without_data_is_drawn()
    {
        Assert.Contains("no still picture", Chart.Pie([Tuple.Create("a", 1), Tuple.Create("b", 2)]).ToDisplayString("text/plain"));
        Assert.Contains("<svg", Chart.Plot([new Heatmap { z = Array.Empty<int[]>() }]).ToDisplayString("text/html"));
        Assert.Contains("<svg", Chart.Plot([new Scatter()]).ToDisplayString("text/html"));
    }

    [Fact]
    public void The_library_is_written_once_a_notebook()
    {
        ChartView.BeginNotebook();
        Assert.Contains("class=\"gs-plotly\"", Trained.Run.LossChart().ToDisplayString("text/html"));
        Assert.DoesNotContain("class=\"gs-plotly\"", Trained.Run.LossChart().ToDisplayString("text/html"));
        ChartView.BeginNotebook();
        Assert.Contains("class=\"gs-plotly\"", Trained.Run.LossChart().ToDisplayString("text/html"));
    }

    [RequiresFact(Tool.Chromium)]
    public async Task In_a_browser_charts_come_alive_without_a_network_and_without_scripts_their_pictures_stay()
    {
        ChartView.BeginNotebook();
        PlotlyChart[] charts = [Trained.Run.LossChart(), Trained.Run.GradientNormChart(), Trained.Frame.Attention().Heatmap()];
        var page = "<!doctype html><meta charset=utf-8><title>charts</title><body>" + string.Concat(charts.Select(c => c.ToDisplayString("text/html")));
        List<string> problems = [];
        var alive = await browser.OpenAsync(page, problems);
        await alive.WaitForFunctionAsync("document.querySelectorAll('.gs-chart .main-svg').length >= 3 && [...document.querySelectorAll('.gs-chart-still')].every(s => s.hidden)");
        Assert.Equal(3, await alive.Locator(".gs-chart .plot-container").CountAsync());
        Assert.Contains("validation", await alive.Locator(".gs-chart").First.InnerTextAsync());
        await alive.ScreenshotAsync(new() { Path = Browser.Artifact("charts-alive.png"), FullPage = true });

        var still = await browser.OpenAsync(page, problems, scripts: false);
        Assert.Equal(3, await still.Locator(".gs-chart-still svg:visible").CountAsync());
        Assert.Equal(0, await still.Locator(".plot-container").CountAsync());
        await still.ScreenshotAsync(new() { Path = Browser.Artifact("charts-still.png"), FullPage = true });
        Assert.Empty(problems);
    }
}
