using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using GradScope.Figures;
using XPlot.Plotly;

namespace GradScope.Interactive;

/// <summary>What an XPlot chart is going to hand to plotly.js: its data and its layout, after whatever its user restyled.</summary>
internal sealed partial record PlotlySpec(JsonElement Data, JsonElement Layout, double Width, double Height)
{
    public static PlotlySpec Of(PlotlyChart chart)
    {
        var script = chart.GetInlineJS();
        return new(Value(script, "var data = "), Value(script, "var layout = "), chart.Width, chart.Height);
    }

    /// <summary>As JSON that may stand in a script element.</summary>
    public string Json => JsonSerializer.Serialize(new Dictionary<string, object> { ["data"] = Data, ["layout"] = Layout, ["width"] = Width, ["height"] = Height });

    /// <summary>The chart's lines and heatmaps, with what was said about them; null where it has other kinds of traces alone.</summary>
    public ChartFrame? ToFrame()
    {
        var traces = Data.EnumerateArray().Select(Trace).OfType<ChartTrace>().ToList();
        return traces.Count == 0 ? null : new(
            Words(Layout, "title"), Math.Max(240, Width), Math.Max(160, Height), Axis(Layout, "xaxis"), Axis(Layout, "yaxis"), traces,
            Find(Layout, "showlegend") is { ValueKind: JsonValueKind.True or JsonValueKind.False } said ? said.GetBoolean() : traces.Count(t => t is LineTrace) > 1);
    }

    private static JsonElement Value(string script, string before)
    {
        var start = script.IndexOf(before, StringComparison.Ordinal);
        if (start < 0)
        {
            throw new InvalidOperationException($"XPlot's script has no '{before.Trim()}'; GradScope reads charts of XPlot.Plotly 4.1.0.");
        }

        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(script[(start + before.Length)..]), isFinalBlock: false, default);
        return JsonDocument.TryParseValue(ref reader, out var document) ? document.RootElement : default;
    }

    private static ChartTrace? Trace(JsonElement trace) => Text(trace, "type") switch
    {
        "scatter" or "scattergl" or "" => Line(trace),
        "heatmap" or "heatmapgl" => Heat(trace),
        _ => null,
    };

    private static LineTrace Line(JsonElement trace)
    {
        var y = Numbers(trace, "y");
        var x = Find(trace, "x") is { ValueKind: JsonValueKind.Array } given ? [.. given.EnumerateArray()] : Array.Empty<JsonElement>();
        var isWords = x.Any(e => e.ValueKind == JsonValueKind.String && double.IsNaN(Number(e)));
        double[] places = x.Length == 0 || isWords ? [.. y.Select((_, i) => (double)i)] : [.. x.Select(Number)];
        var mode = Text(trace, "mode") is { Length: > 0 } said ? said : y.Count > 20 ? "lines" : "lines+markers";
        var (line, marker) = (Find(trace, "line") ?? default, Find(trace, "marker") ?? default);
        var dash = Text(line, "dash") switch { "dash" or "longdash" => "6 4", "dot" => "2 3", "dashdot" or "longdashdot" => "6 3 2 3", _ => null };
        return new(
            Text(trace, "name"), places, y, isWords ? [.. x.Select(e => e.ToString())] : null, Colour(Text(line, "color")) ?? Colour(Text(marker, "color")),
            mode.Contains("lines", StringComparison.Ordinal) ? Size(line, "width", 2) : 0, dash, mode.Contains("markers", StringComparison.Ordinal) ? Size(marker, "size", 6) : 0);
    }

    private static HeatTrace Heat(JsonElement trace)
    {
        List<IReadOnlyList<double>> rows = Find(trace, "z") is { ValueKind: JsonValueKind.Array } z
            ? [.. z.EnumerateArray().Select(row => row.ValueKind == JsonValueKind.Array ? (IReadOnlyList<double>)[.. row.EnumerateArray().Select(Number)] : [])]
            : [];
        var finite = rows.SelectMany(r => r).Where(double.IsFinite).DefaultIfEmpty(0).ToList();
        var colors = Colors(Find(trace, "colorscale"));
        if (Find(trace, "reversescale") is { ValueKind: JsonValueKind.True }) colors = [.. colors.Select(c => (1 - c.At, c.Color)).Reverse()];
        return new(
            Text(trace, "name"), rows, Labels(trace, "x"), Labels(trace, "y"),
            Find(trace, "zmin") is { } low ? Number(low) : finite.Min(), Find(trace, "zmax") is { } high ? Number(high) : finite.Max(), colors);
    }

    private static ChartAxis Axis(JsonElement layout, string name)
    {
        var axis = Find(layout, name) ?? default;
        var isLog = Text(axis, "type") == "log";
        (double, double)? range = Find(axis, "range") is { ValueKind: JsonValueKind.Array } ends && ends.GetArrayLength() == 2
            && (Number(ends[0]), Number(ends[1])) is var (low, high) && double.IsFinite(low) && double.IsFinite(high)
            ? isLog ? (Math.Pow(10, low), Math.Pow(10, high)) : (low, high)
            : null;
        return new(Words(axis, "title"), isLog, Text(axis, "autorange") == "reversed", range);
    }

    /// <summary>plotly's named scales that people use most, or the author's own stops.</summary>
    private static IReadOnlyList<(double At, (byte R, byte G, byte B) Color)> Colors(JsonElement? scale)
    {
        if (scale is { ValueKind: JsonValueKind.Array } stops)
        {
            var own = stops.EnumerateArray()
                .Where(s => s.ValueKind == JsonValueKind.Array && s.GetArrayLength() == 2)
                .Select(s => (At: Number(s[0]), Color: Rgb(s[1].ToString())))
                .Where(s => double.IsFinite(s.At) && s.Color is not null)
                .Select(s => (s.At, s.Color!.Value)).OrderBy(s => s.At).ToList();
            if (own.Count > 0) return own;
        }

        string[] colors = (scale is { ValueKind: JsonValueKind.String } name ? name.GetString() : "") switch
        {
            "Viridis" => ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"],
            "Greys" => ["#000000", "#ffffff"],
            "Greens" => ["#00441b", "#41ab5d", "#f7fcf5"],
            "YlOrRd" => ["#800026", "#fc4e2a", "#feb24c", "#ffffcc"],
            "Blues" => ["#053061", "#4393c3", "#f7fbff"],
            _ => ["#053061", "#4393c3", "#f7f7f7", "#d6604d", "#67001f"],
        };
        return [.. colors.Select((c, i) => ((double)i / (colors.Length - 1), Rgb(c)!.Value))];
    }

    private static (byte R, byte G, byte B)? Rgb(string color)
    {
        if (HexColour().Match(color) is { Success: true })
        {
            var digits = color.Length == 4 ? string.Concat(color[1..].Select(c => new string(c, 2))) : color[1..];
            return (Byte(0), Byte(2), Byte(4));

            byte Byte(int at) => byte.Parse(digits.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        return RgbColour().Match(color) is { Success: true } rgb
            ? (Part(rgb, 1), Part(rgb, 2), Part(rgb, 3))
            : null;

        static byte Part(Match match, int group) => byte.TryParse(match.Groups[group].Value, CultureInfo.InvariantCulture, out var part) ? part : byte.MaxValue;
    }

    /// <summary>A CSS colour as the author wrote it; null for none, or for what is no colour.</summary>
    private static string? Colour(string color) => CssColour().IsMatch(color) ? color : null;

    private static List<double> Numbers(JsonElement trace, string name) =>
        Find(trace, name) is { ValueKind: JsonValueKind.Array } array ? [.. array.EnumerateArray().Select(Number)] : [];

    private static string[]? Labels(JsonElement trace, string name) =>
        Find(trace, name) is { ValueKind: JsonValueKind.Array } array && array.GetArrayLength() > 0 ? [.. array.EnumerateArray().Select(e => e.ToString())] : null;

    private static double Number(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number => element.GetDouble(),
        JsonValueKind.String when double.TryParse(element.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => double.NaN,
    };

    private static double Size(JsonElement owner, string name, double usual) =>
        Find(owner, name) is { } element && Number(element) is var size && double.IsFinite(size) && size >= 0 ? size : usual;

    private static string Text(JsonElement owner, string name) => Find(owner, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";

    /// <summary>A title, which is a text or an object that has one.</summary>
    private static string Words(JsonElement owner, string name) =>
        Find(owner, name) is { ValueKind: JsonValueKind.Object } title ? Text(title, "text") : Text(owner, name);

    private static JsonElement? Find(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    [GeneratedRegex("^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$")]
    private static partial Regex HexColour();

    [GeneratedRegex(@"^rgba?\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)")]
    private static partial Regex RgbColour();

    [GeneratedRegex(@"^(#[0-9a-fA-F]{3,8}|[a-zA-Z]+|(rgb|hsl)a?\([0-9.,%\s/]+\))$")]
    private static partial Regex CssColour();
}
