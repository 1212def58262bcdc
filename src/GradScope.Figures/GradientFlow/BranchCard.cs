using System.Globalization;

namespace GradScope.Figures;

/// <summary>What one branch does to the gradient: its part, its attention with gradients, and the pull on its parameters.</summary>
internal sealed class BranchCard(GradientFlowFrame frame, Sheet sheet, LogScale scale, Branch branch, DrawnMaps<(int Block, int Head)> maps, int mostHeads)
{
    private const double Padding = 12, MapGap = 12;

    /// <summary>Draws the card and answers the y below it.</summary>
    public double Draw(double x, double y, double width)
    {
        var (inner, left, top) = (width - 2 * Padding, x + Padding, y);
        sheet.Text(left, y + 20, branch.IsAttention ? "attention" : "mlp", Face.Heading);
        sheet.Text(x + width - Padding, y + 20, string.Create(CultureInfo.InvariantCulture, $"block {branch.Block}"), Face.Note, Anchor.End);
        y += 30;

        if (branch.BranchShare is { } share && branch.SkipShare is { } skip)
        {
            sheet.Text(left, y + 11, "part of ∂L/∂x", Face.Note);
            y = ProjectionBars.Draw(sheet, [("through", share), ("skip", skip)], left, y + 16, inner) + 8;
        }

        y = branch.IsAttention ? Maps(left, y, inner) : Formula(left, y, inner);
        if (branch.Parameters.Length > 0) y = NormBars.Draw(sheet, scale, NormBars.Rows(branch.Parameters, branch.Path), left, y, inner) + 8;
        sheet.Rect(x, top, width, y - top, Tone.Rule.Stroke(), radius: 6);
        sheet.Body.Line();
        return y;
    }

    private double Formula(double left, double y, double width)
    {
        var activation = frame.Model.Config.Activation switch { Activation.Relu => "relu", Activation.GeluTanh => "gelu (tanh)", _ => "gelu" };
        sheet.Text(left, y + 12, $"up → {activation} → down", Face.Note, fit: width);
        return y + 22;
    }

    private double Maps(double left, double y, double width)
    {
        if (frame.Attention.Layers.FirstOrDefault(l => l.Layer == branch.Block) is not { } layer) return y;

        var columns = layer.PatternGrad is null ? 1 : 2;
        var heads = Math.Min(layer.HeadCount, mostHeads);
        var tokens = frame.Tokens.Select(TokenText.Show).ToList();
        var largest = layer.PatternGrad is { } all ? Cells.Measure(all.Values).Largest : 0;
        var size = WholeCells(heads <= 2 ? (width - MapGap) / 2 : 48);
        sheet.Text(left, y + 11, "A", Face.Note.In(Tone.Value));
        if (columns == 2) sheet.Text(left + size + MapGap, y + 11, "∂L/∂A", Face.Note.In(Tone.Gradient));
        y += 17;
        for (var head = 0; head < heads; head++)
        {
            var pattern = Cells.OfAttention(layer.Pattern, head, frame.Attention.Causal).Thin(32, 32);
            var its = layer.PatternGrad is { } gradient ? Cells.OfAttention(gradient, head, frame.Attention.Causal) : null;
            var map = maps.Of((branch.Block, head), payload => payload.AddMap(
                string.Create(CultureInfo.InvariantCulture, $"A of block {branch.Block} head {head}"), pattern, its?.Thin(32, 32), new("query", tokens), new("key", tokens), "∂L/∂A"));
            Map(pattern, Ramp.Share, left, $"block {branch.Block} head {head}: A, 0 to 1", map);
            if (its is not null)
            {
                Map(its, Ramp.Signed(largest), left + size + MapGap, $"block {branch.Block} head {head}: ∂L/∂A, −{Numbers.Short(largest)} to {Numbers.Short(largest)}", map);
            }

            sheet.Text(left, y + size + 12, string.Create(CultureInfo.InvariantCulture, $"head {head}"), Face.Note);
            if (head == 0 && columns == 2) sheet.Text(left + size + MapGap, y + size + 12, "±" + Numbers.Short(largest), Face.Number.In(Tone.Muted), title: "the scale of ∂L/∂A in this block");
            y += size + 20;
        }

        if (heads < layer.HeadCount)
        {
            sheet.Text(left, y + 8, $"{layer.HeadCount - heads} more: attention figure", Face.Note, fit: width);
            y += 16;
        }

        return y;

        // Cells of whole pixels are crisp, and short to write.
        double WholeCells(double most)
        {
            var across = Math.Min(32, tokens.Count);
            return most > across ? Math.Floor(most / across) * across : Math.Round(most);
        }

        void Map(Cells cells, Ramp ramp, double x, string title, int map) =>
            Heatmap.Draw(sheet, cells.Thin(32, 32), ramp, x, y, size, size, title: title, map: map);
    }
}
