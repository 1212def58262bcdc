using System.Globalization;
using System.Text.Json.Nodes;

namespace GradScope.Figures;

/// <summary>Attention's maps for the script, which switches layer, head, query and what is shown.</summary>
internal static class AttentionPayload
{
    private const int MostNumbers = 40_000, MostCells = 64, FewestCells = 24;

    /// <summary>The payload; where all heads are too many, the chosen layer and its neighbours are kept, and the note says so.</summary>
    public static Payload Of(AttentionFrame frame, AttentionLayer chosen, int head, string title, string subtitle)
    {
        var kinds = frame.BackwardHasRun ? 4 : 2;
        var heads = chosen.HeadCount;
        var side = Math.Min(frame.Tokens.Length, MostCells);
        var layers = frame.Layers.AsEnumerable();
        if (Numbers(frame.Layers.Length, side) > MostNumbers)
        {
            side = Math.Min(frame.Tokens.Length, FewestCells);
            while (side > 8 && Numbers(1, side) > MostNumbers) side--;
            var room = Math.Max(1, MostNumbers / Numbers(1, side));
            layers = frame.Layers.OrderBy(l => Math.Abs(l.Layer - chosen.Layer)).Take(room).OrderBy(l => l.Layer);
        }

        var payload = new Payload("attention");
        var tokens = frame.Tokens.Select(TokenText.Show).ToList();
        payload.Head["title"] = title;
        payload.Head["subtitle"] = subtitle;
        payload.Head["names"] = new JsonArray();
        payload.AddTexts(tokens);
        payload.Head["maps"] = new JsonArray();
        payload.Head["heads"] = new JsonArray([.. layers.SelectMany(l => Enumerable.Range(0, heads).Select(h => (JsonNode)new JsonArray(l.Layer, h, new JsonArray([.. Maps(l, h)]))))]);
        payload.Head["chosen"] = new JsonArray(chosen.Layer, head);
        payload.Head["note"] = string.Join(' ', Notes(layers.Count()));
        return payload;

        IEnumerable<string> Notes(int kept)
        {
            yield return "A: how much each query (row) takes from each key (column); a row sums to 1. Click a row to choose its query.";
            if (frame.Causal && frame.Tokens.Length > 1) yield return "Hatched: not allowed, the key comes after the query.";
            yield return "Signed maps: orange is above 0, teal with a dash below, paper 0" + (frame.BackwardHasRun ? "; with more of what is orange in a gradient the loss would rise." : ".");
            if (side < frame.Tokens.Length) yield return $"Maps have at most {side} × {side} cells: each shows the number of largest magnitude of its block.";
            if (kept < frame.Layers.Length) yield return string.Create(CultureInfo.InvariantCulture, $"{(kept == 1 ? $"Layer {chosen.Layer} alone" : $"{kept} layers")} can be chosen here; FigureOptions.Layer draws another.");
        }

        int Numbers(int count, int cells) => count * heads * kinds * cells * cells;

        IEnumerable<JsonNode?> Maps(AttentionLayer layer, int h)
        {
            foreach (var (name, tensor) in ((string, Tensor?)[])[("scores", layer.Scores), ("A", layer.Pattern), ("∂L/∂A", layer.PatternGrad), ("∂L/∂scores", layer.ScoresGrad)])
            {
                if (tensor is null) continue;

                var cells = Cells.OfAttention(tensor, h, frame.Causal).Thin(side, side);
                yield return payload.AddMap(name, cells, null, new("query", tokens), new("key", tokens));
            }
        }
    }
}
