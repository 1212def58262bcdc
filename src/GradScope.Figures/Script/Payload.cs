using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace GradScope.Figures;

/// <summary>What the rows or columns of a heatmap are.</summary>
/// <param name="Name">A word for one, such as query.</param>
/// <param name="Texts">What stands at each, such as its token.</param>
/// <param name="Each">Where matrices stand beside each other, what each is, and how many columns it has.</param>
/// <param name="From">The number of the first.</param>
/// <param name="Every">How far apart the numbers of two neighbours are.</param>
internal sealed record Side(string? Name = null, IReadOnlyList<string>? Texts = null, (string Name, int Size)? Each = null, int From = 0, int Every = 1);

/// <summary>
/// The recorded numbers that a figure's script reads: a header in JSON and arrays of numbers, compressed. A number is kept as it is
/// read, to three significant digits, in 16 bits; so what the script shows is the recorded number rounded once.
/// </summary>
internal sealed class Payload
{
    /// <summary>Powers of ten from an array's largest number downwards that are told apart; a smaller number reads "≈ 0".</summary>
    private const int Decades = 36;

    private const int PerSign = 900 * Decades;

    /// <summary>What is no number, after both signs' numbers.</summary>
    private const int NotANumber = 2 * PerSign + 1, Infinite = NotANumber + 1, MinusInfinite = NotANumber + 2, Tiny = NotANumber + 3, MinusTiny = NotANumber + 4, Masked = NotANumber + 5;

    private readonly List<ushort> codes = [];
    private readonly List<IReadOnlyList<string>> lists = [];

    /// <summary>A payload for one kind of figure.</summary>
    public Payload(string kind) => Kind = kind;

    /// <summary>The script's name for this kind of figure.</summary>
    public string Kind { get; }

    /// <summary>What the script is told besides numbers.</summary>
    public JsonObject Head { get; } = [];

    /// <summary>Adds numbers and answers where they stand, as the script wants it: first, count, exponent of the smallest. NaN stands for itself; null in <paramref name="masked"/>'s places.</summary>
    public JsonArray Add(ReadOnlySpan<float> values, Func<int, bool>? masked = null)
    {
        var (first, top) = (codes.Count, int.MinValue);
        foreach (var value in values)
        {
            if (float.IsFinite(value) && value != 0) top = Math.Max(top, ReadDigits(value).Exponent);
        }

        var lowest = top == int.MinValue ? 0 : top - Decades + 1;
        for (var i = 0; i < values.Length; i++)
        {
            codes.Add((ushort)(masked?.Invoke(i) == true ? Masked : Code(values[i], lowest)));
        }

        return [first, values.Length, lowest - 2];
    }

    /// <summary>Adds a heatmap that can be read cell by cell, and answers its number. Both of its parts have the same cells.</summary>
    /// <param name="name">What is read.</param>
    /// <param name="value">Its numbers as they are drawn.</param>
    /// <param name="grad">Their gradients; null where there are none.</param>
    /// <param name="down">What its rows are.</param>
    /// <param name="across">What its columns are.</param>
    /// <param name="gradName">What the gradients are called.</param>
    public int AddMap(string name, Cells value, Cells? grad, Side? down = null, Side? across = null, string? gradName = null)
    {
        var map = MapOf(name, value, down, across);
        map["v"] = Add(value);
        if (grad is not null) map["g"] = Add(grad);
        if (gradName is not null) map["grad"] = gradName;
        var maps = (JsonArray)(Head["maps"] ??= new JsonArray());
        maps.Add(map);
        return maps.Count - 1;
    }

    /// <summary>Adds curves that are read together, a column of theirs at once, and answers their number; a curve may lack numbers.</summary>
    /// <param name="name">What is read.</param>
    /// <param name="across">What the columns are.</param>
    /// <param name="curves">Names and numbers, all of one length.</param>
    public int AddCurves(string name, Side across, params IReadOnlyList<(string Name, IReadOnlyList<double?> Values)> curves)
    {
        var many = curves.Select(curve => (JsonNode)new JsonArray(curve.Name, Add([.. curve.Values.Select(v => (float)(v ?? 0))], i => curve.Values[i] is null)));
        var maps = (JsonArray)(Head["maps"] ??= new JsonArray());
        maps.Add(new JsonObject { ["name"] = name, ["rows"] = 1, ["cols"] = curves[0].Values.Count, ["across"] = ToJson(across), ["many"] = new JsonArray([.. many]) });
        return maps.Count - 1;
    }

    /// <summary>A heatmap's cells as the script knows them, without their numbers.</summary>
    public JsonObject MapOf(string name, Cells cells, Side? down = null, Side? across = null)
    {
        var map = new JsonObject { ["name"] = name, ["rows"] = cells.Rows, ["cols"] = cells.Columns };
        if (cells.IsThinned) map["block"] = new JsonArray(cells.RowBlock, cells.ColumnBlock, cells.DataRows, cells.DataColumns);
        if (down is not null) map["down"] = ToJson(down);
        if (across is not null) map["across"] = ToJson(across);
        return map;
    }

    public JsonArray Add(Cells cells) => Add(cells.Values, cells.IsForbidden);

    /// <summary>The whole as the script unpacks it, before compression: the header's length, the header, all low bytes, all high bytes.</summary>
    public byte[] ToBytes()
    {
        // What is written goes into base64: no sign needs an escape for a page's sake.
        using var written = new MemoryStream();
        using (var json = new Utf8JsonWriter(written, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            Head.WriteTo(json);
        }

        var head = written.GetBuffer().AsSpan(0, (int)written.Length);
        var bytes = new byte[4 + head.Length + 2 * codes.Count];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, head.Length);
        head.CopyTo(bytes.AsSpan(4));
        var numbers = bytes.AsSpan(4 + head.Length);
        for (var i = 0; i < codes.Count; i++)
        {
            (numbers[i], numbers[codes.Count + i]) = ((byte)codes[i], (byte)(codes[i] >> 8));
        }

        return bytes;
    }

    /// <summary>The bytes compressed (zlib), in base64.</summary>
    public static string Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var zip = new ZLibStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            zip.Write(bytes);
        }

        return Convert.ToBase64String(packed.GetBuffer().AsSpan(0, (int)packed.Length));
    }

    private JsonObject ToJson(Side side)
    {
        var json = new JsonObject();
        if (side.Name is not null) json["name"] = side.Name;
        if (side.Texts is { } texts) json["of"] = AddTexts(texts);
        if (side.From != 0) json["from"] = side.From;
        if (side.Every != 1) json["every"] = side.Every;
        if (side.Each is { } each) json["each"] = new JsonArray(each.Name, each.Size);
        return json;
    }

    /// <summary>Adds a list of texts, once, and answers its number.</summary>
    public int AddTexts(IReadOnlyList<string> texts)
    {
        var known = lists.FindIndex(list => ReferenceEquals(list, texts) || list.SequenceEqual(texts));
        if (known >= 0) return known;

        lists.Add(texts);
        ((JsonArray)(Head["names"] ??= new JsonArray())).Add(new JsonArray([.. texts.Select(t => JsonValue.Create(t))]));
        return lists.Count - 1;
    }

    private static int Code(float value, int lowest)
    {
        if (value == 0) return 0;
        if (!float.IsFinite(value)) return float.IsNaN(value) ? NotANumber : value > 0 ? Infinite : MinusInfinite;

        var (mantissa, exponent) = ReadDigits(value);
        if (exponent < lowest) return value > 0 ? Tiny : MinusTiny;

        return 1 + (mantissa - 100) + 900 * (exponent - lowest) + (value < 0 ? PerSign : 0);
    }

    /// <summary>The three significant digits of a number that is not 0, and the power of ten of the first.</summary>
    private static (int Mantissa, int Exponent) ReadDigits(float value)
    {
        Span<char> text = stackalloc char[16];
        Math.Abs((double)value).TryFormat(text, out var length, "E2", CultureInfo.InvariantCulture);
        var mantissa = (text[0] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
        return (mantissa, int.Parse(text[5..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }
}
