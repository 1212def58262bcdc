using System.Globalization;
using System.Text;

namespace GradScope.Figures;

/// <summary>Who attends to whom: one map large with its tokens, its gradient beside it, and below all layers and heads.</summary>
public static class AttentionFigure
{
    /// <summary>Draws the frame; <see cref="FigureOptions.Layer"/> and <see cref="FigureOptions.Head"/> choose the large map.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The frame has no such layer or head.</exception>
    public static Figure Draw(AttentionFrame frame, FigureOptions? options = null)
    {
        options ??= FigureOptions.Default;
        var title = options.Title ?? "Attention";
        if (frame.Layers.IsEmpty)
        {
            var empty = new Sheet(options.Theme);
            empty.Header(400, title, "the model has no attention layer");
            return Figure.From(empty, 400, empty.Top + Sheet.Margin, title, $"{title}: the model has no attention layer.");
        }

        var (layer, head) = Choose(frame, options);
        var drawing = new AttentionDrawing(frame, title, layer, head, options);
        var (width, height) = drawing.Draw();
        return Figure.From(drawing.Sheet, width, height, title, Summary(frame, title), AttentionPayload.Of(frame, layer, head, title, drawing.Subtitle), [.. Tables(frame, layer, head)]);
    }

    /// <summary>‖·‖ of one head's map, without a copy of it.</summary>
    internal static double NormOf(Tensor maps, int head)
    {
        var size = maps.Length / maps.Shape[0];
        var sum = 0.0;
        foreach (var x in maps.Values.Slice(head * size, size)) sum += (double)x * x;
        return Math.Sqrt(sum);
    }

    internal static (AttentionLayer Layer, int Head) Choose(AttentionFrame frame, FigureOptions options)
    {
        var layers = frame.Layers.AsEnumerable();
        if (options.Layer is { } wanted)
        {
            layers = [frame.Layers.FirstOrDefault(l => l.Layer == wanted)
                ?? throw new ArgumentOutOfRangeException(nameof(options), $"AttentionFigure: the frame has the layers {string.Join(", ", frame.Layers.Select(l => l.Layer))}, not {wanted}.")];
        }

        var heads = frame.Layers[0].HeadCount;
        if (options.Head is { } head && (head < 0 || head >= heads))
        {
            throw new ArgumentOutOfRangeException(nameof(options), $"AttentionFigure: the layers have heads 0 to {heads - 1}, not {head}.");
        }

        return layers.SelectMany(l => Enumerable.Range(0, l.HeadCount).Where(h => options.Head is null || h == options.Head).Select(h => (Layer: l, Head: h)))
            .MaxBy(c => c.Layer.PatternGrad is { } gradient ? NormOf(gradient, c.Head) : 0);
    }

    private static string Summary(AttentionFrame frame, string title)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{title} at step {frame.Step} on {frame.Tokens.Length} positions ({string.Join(' ', frame.Tokens.Take(40).Select(TokenText.Show))}{(frame.Tokens.Length > 40 ? " …" : "")}){(frame.Causal ? ", causal" : "")}.");
        if (!frame.BackwardHasRun) text.Append(" Backward has not run, so there are no gradients yet.");
        text.Append("\nThe last position attends most to:");
        foreach (var layer in frame.Layers)
        {
            for (var head = 0; head < layer.HeadCount; head++)
            {
                var query = frame.Tokens.Length - 1;
                var row = layer.Pattern.Values.Slice((head * frame.Tokens.Length + query) * frame.Tokens.Length, frame.Tokens.Length);
                var best = 0;
                for (var k = 1; k < row.Length; k++) best = row[k] > row[best] ? k : best;
                text.Append(CultureInfo.InvariantCulture, $"\n  layer {layer.Layer} head {head}: {TokenText.Show(frame.Tokens[best])} at position {best} ({Numbers.Percent(row[best])})");
                if (layer.PatternGrad is { } gradient) text.Append($", ‖∂L/∂A‖ {Numbers.Short(NormOf(gradient, head))}");
            }
        }

        return text.ToString();
    }

    private static IEnumerable<DataTable> Tables(AttentionFrame frame, AttentionLayer layer, int head)
    {
        if (frame.Tokens.Length > 16) yield break;

        yield return Map("A", layer.Pattern);
        if (layer.PatternGrad is { } gradient) yield return Map("∂L/∂A", gradient);

        DataTable Map(string name, Tensor maps) => new(
            string.Create(CultureInfo.InvariantCulture, $"{name} of layer {layer.Layer} head {head}: queries down, keys across"), 1,
            ["query", .. frame.Tokens.Select((t, i) => string.Create(CultureInfo.InvariantCulture, $"{i} {TokenText.Show(t)}"))],
            [.. frame.Tokens.Select((t, q) => (string[])
            [
                string.Create(CultureInfo.InvariantCulture, $"{q} {TokenText.Show(t)}"),
                .. frame.Tokens.Select((_, k) => frame.Causal && k > q ? "masked" : Numbers.Exact(maps[head, q, k])),
            ])]);
    }
}
