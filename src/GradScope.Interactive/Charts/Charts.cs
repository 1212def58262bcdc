using XPlot.Plotly;

namespace GradScope;

/// <summary>Recorded trainings and attention as XPlot.Plotly charts, for those who want to restyle or combine them.</summary>
public static class Charts
{
    /// <summary>Loss over steps beside the baselines, and on held-out data where it was measured; nats.</summary>
    public static PlotlyChart LossChart(this Run run)
    {
        List<Trace> traces = [Line("train", run.Metrics.Select(m => (m.Step, m.Loss)), Theme.Default.Light.Loss)];
        var held = run.Metrics.Where(m => m.ValidationLoss is not null).Select(m => (m.Step, m.ValidationLoss!.Value)).ToList();
        if (held.Count > 0)
        {
            var validation = Line("validation", held, Theme.Default.Light.Muted);
            validation.mode = "lines+markers";
            traces.Add(validation);
        }

        foreach (var baseline in run.Metrics.IsEmpty ? [] : run.Baselines)
        {
            var line = Line(baseline.Name, [(run.Metrics[0].Step, baseline.Loss), (run.Metrics[^1].Step, baseline.Loss)], Theme.Default.Light.Muted);
            line.line.dash = baseline.IsFloor ? "dot" : "dash";
            traces.Add(line);
        }

        return Chart(traces, "Loss: " + run.Task, "step", "loss, nats");
    }

    /// <summary>‖gradient‖ over steps, before clipping, on a logarithmic axis.</summary>
    public static PlotlyChart GradientNormChart(this Run run)
    {
        var chart = Chart([Line("gradient norm", run.Metrics.Select(m => (m.Step, m.GradientNorm)), Theme.Default.Light.Gradient)], "Gradient norm: " + run.Task, "step", "‖gradient‖");
        chart.WithLayout(new()
        {
            title = "Gradient norm: " + run.Task,
            xaxis = new() { title = "step" },
            yaxis = new() { title = "‖gradient‖", type = "log" },
        });
        return chart;
    }

    /// <summary>One head's attention: queries down, keys across, 0 to 1.</summary>
    /// <param name="attention">Recorded attention.</param>
    /// <param name="layer">The layer, from 0.</param>
    /// <param name="head">The head, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The frame has no such layer, or the layer no such head.</exception>
    public static PlotlyChart Heatmap(this AttentionFrame attention, int layer = 0, int head = 0)
    {
        var recorded = attention.Layers.FirstOrDefault(l => l.Layer == layer)
            ?? throw new ArgumentOutOfRangeException(nameof(layer), $"Heatmap: the frame has the layers {string.Join(", ", attention.Layers.Select(l => l.Layer))}, not {layer}.");
        if (head < 0 || head >= recorded.HeadCount)
        {
            throw new ArgumentOutOfRangeException(nameof(head), $"Heatmap: layer {layer} has heads 0 to {recorded.HeadCount - 1}, not {head}.");
        }

        // One label a column: plotly joins columns of one name.
        string[] tokens = [.. attention.Tokens.Select((token, i) => $"{i} {token}")];
        var map = recorded.Pattern.Slice(head);
        var trace = new Heatmap
        {
            z = Enumerable.Range(0, tokens.Length).Select(q => Enumerable.Range(0, tokens.Length)
                .Select(k => attention.Causal && k > q ? (float?)null : map.Values[q * tokens.Length + k]).ToArray()).ToArray(),
            x = tokens,
            y = tokens,
            zmin = 0,
            zmax = 1,
            colorscale = new object[] { new object[] { 0, "#ffffff" }, new object[] { 1, Theme.Default.Light.Value } },
        };
        var chart = Chart([trace], "", "", "");
        chart.WithLayout(new()
        {
            title = $"Attention: layer {layer}, head {head}",
            xaxis = new() { title = "key" },
            yaxis = new() { title = "query", autorange = "reversed" },
        });
        chart.WithSize(480, 480);
        return chart;
    }

    private static Scatter Line(string name, IEnumerable<(int Step, double Value)> points, string color)
    {
        var all = points.ToList();
        return new()
        {
            name = name,
            x = all.Select(p => p.Step).ToArray(),
            y = all.Select(p => p.Value).ToArray(),
            mode = "lines",
            line = new() { color = color, width = 2 },
        };
    }

    private static PlotlyChart Chart(IEnumerable<Trace> traces, string title, string x, string y)
    {
        var chart = XPlot.Plotly.Chart.Plot(traces);
        chart.WithTitle(title);
        chart.WithXTitle(x);
        chart.WithYTitle(y);
        chart.WithSize(660, 380);
        return chart;
    }
}
