using System.Globalization;
using System.Text.Json.Nodes;

namespace GradScope.Figures;

/// <summary>Puts the numbers of a played tape together for the script.</summary>
internal sealed class PlayerPayload
{
    private readonly PlayedTape played;
    private readonly Frame? frame;
    private readonly NormScales scales;
    private readonly Payload payload = new("player");
    private readonly IReadOnlyList<string> tokens = [], vocabulary = [];

    private PlayerPayload(PlayedTape played, Frame? frame, NormScales scales)
    {
        (this.played, this.frame, this.scales) = (played, frame, scales);
        if (frame is null) return;
        tokens = [.. frame.Tokens.Select(TokenText.Show)];
        vocabulary = [.. frame.Vocabulary.Select(TokenText.Show)];
    }

    /// <summary>The payload: nodes by index, parts, and the backward steps with what each adds.</summary>
    public static Payload Of(PlayedTape played, Frame? frame, NormScales scales, string title, string subtitle, string note)
    {
        var writer = new PlayerPayload(played, frame, scales);
        var head = writer.payload.Head;
        head["title"] = title;
        head["subtitle"] = subtitle;
        if (played.Tape.Loss is { } loss) head["loss"] = loss;
        head["maps"] = new JsonArray();
        head["nodes"] = new JsonArray([.. played.Tape.Nodes.Select(n => played.Rows.TryGetValue(n.Index, out var row) ? writer.Node(row) : null)]);
        head["parts"] = new JsonArray([.. played.Parts.Select(p => new JsonObject { ["name"] = p.Name, ["ops"] = new JsonArray([.. p.Operations.Select(o => JsonValue.Create(o.Node.Index))]) })]);
        head["back"] = new JsonArray([.. played.Backward.Select(s => new JsonArray(s.Operation.Node.Index, new JsonArray([.. s.Additions.Select(writer.Addition)])))]);
        head["note"] = note;
        return writer.payload;
    }

    private JsonObject Node(TapeRow row)
    {
        var node = row.Node;
        var json = new JsonObject
        {
            ["name"] = node.Label,
            ["short"] = row.Shorten(node.Label),
            ["kind"] = node.Kind.ToString().ToLowerInvariant(),
            ["shape"] = node.Shape.ToString(),
            ["norm"] = Digits(node.ValueNorm),
        };
        if (node.GradNorm is { } gradNorm) json["gnorm"] = Digits(gradNorm);
        if (node.Kind == NodeKind.Operation)
        {
            json["formula"] = row.Shorten(node.Formula);
            json["in"] = new JsonArray([.. node.Inputs.Distinct().Where(played.Rows.ContainsKey).Select(i => JsonValue.Create(i))]);
            json["high"] = new JsonArray(Height(scales.Value, node.ValueNorm), Height(scales.Grad, node.GradNorm));
        }

        if (node.Kind == NodeKind.Constant) json["text"] = TextOf(node);
        else if (node.Value is { } value) json["map"] = Map(row, value);
        return json;
    }

    private int Map(TapeRow row, Tensor value)
    {
        var layout = PlayerCells.Of(row, played.Tape.Nodes.Length);
        var cells = layout.Of(value);
        var (down, across) = NodeSides.Of(row, cells, layout.Matrices, tokens, vocabulary);
        return payload.AddMap(row.Node.Label, cells, row.Node.Grad is { } grad ? layout.Of(grad) : null, down, across, "∂L/∂" + row.Shorten(row.Node.Label));
    }

    private JsonArray Addition(Addition addition)
    {
        var json = new JsonArray(addition.Input.Index, addition.Rule, addition.Part, addition.Of);
        if (addition.What is not { } what) return json;

        json.Add(Digits(what.Norm));
        json.Add(Digits(what.SumNorm));
        if (addition.Of == 1 || what.Added is null || what.Sum is null) return json;

        var layout = PlayerCells.Of(played.Rows[addition.Input.Index], played.Tape.Nodes.Length);
        json.Add(payload.Add(layout.Of(what.Added)));
        // The first part is the sum so far, and the last sum is the whole gradient: neither is kept twice.
        if (addition is { Part: > 1, IsLast: false }) json.Add(payload.Add(layout.Of(what.Sum)));
        return json;
    }

    private string TextOf(NodeFrame node)
    {
        if (node.Value is not { Length: <= 64 } value) return node.Shape.ToString();

        var isIds = frame is not null && node.Name == "tokens" && value.Length == tokens.Count;
        return string.Join(' ', value.Values.ToArray().Select((v, i) => isIds ? $"{Numbers.Short(v)} “{tokens[i]}”" : Numbers.Short(v)));
    }

    /// <summary>How high a bar is, 0 to 1; −1 for none: zero is not on a logarithmic scale.</summary>
    private static JsonNode Height(LogScale scale, double? norm) => norm is { } n && n != 0 ? Math.Round(scale.At(n), 3) : -1;

    /// <summary>A norm with the digits that tables have; JSON knows no NaN, so what is no number goes as text.</summary>
    private static JsonNode Digits(double norm) => double.IsFinite(norm)
        ? JsonNode.Parse(norm.ToString("G7", CultureInfo.InvariantCulture))!
        : Numbers.Short(norm);
}

/// <summary>The logarithmic scales of a strip of bars: one of values' norms, one of gradients'.</summary>
internal sealed record NormScales(LogScale Value, LogScale Grad)
{
    public static NormScales Of(PlayedTape played) => new(
        LogScale.Of([.. played.Operations.Select(o => (double?)o.Node.ValueNorm)]),
        LogScale.Of([.. played.Operations.Select(o => o.Node.GradNorm)]));
}
