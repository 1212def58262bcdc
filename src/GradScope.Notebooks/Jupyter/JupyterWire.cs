using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace GradScope.Notebooks;

/// <summary>
/// Jupyter's framing: identities, a delimiter, the HMAC-SHA256 of the four parts in hexadecimal digits, then header, parent
/// header, metadata and content as JSON. With an empty key nothing is signed.
/// https://jupyter-client.readthedocs.io/en/stable/messaging.html
/// </summary>
internal sealed class JupyterWire(string key)
{
    public const string ProtocolVersion = "5.3";

    private const int Parts = 4;
    private static readonly byte[] delimiter = "<IDS|MSG>"u8.ToArray();
    private static readonly byte[] nothing = "{}"u8.ToArray();

    // Figures are full of angle brackets, and what goes over the wire is not put into a page as it stands.
    private static readonly JsonSerializerOptions relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly byte[] key = Encoding.UTF8.GetBytes(key);
    private readonly string session = Guid.NewGuid().ToString("N");

    /// <exception cref="JupyterProtocolException">The frames are no message, or not one that is signed with the key.</exception>
    public JupyterRequest Read(JupyterChannel channel, IReadOnlyList<byte[]> frames)
    {
        var start = 0;
        while (start < frames.Count && !frames[start].AsSpan().SequenceEqual(delimiter))
            start++;
        if (frames.Count < start + 2 + Parts)
            throw new JupyterProtocolException($"{frames.Count} frames are no message: a signature and {Parts} parts must follow <IDS|MSG>");
        var parts = frames.Skip(start + 2).Take(Parts).ToArray();
        if (!CryptographicOperations.FixedTimeEquals(frames[start + 1], Sign(parts)))
            throw new JupyterProtocolException("it is not signed with the key of the connection file");

        var header = Parse(parts[0], "header");
        if (!header.TryGetProperty("msg_type", out var type) || type.ValueKind != JsonValueKind.String)
            throw new JupyterProtocolException("its header has no msg_type");
        return new(channel, [.. frames.Take(start)], parts[0], type.GetString()!, Parse(parts[3], "content"));
    }

    public IReadOnlyList<byte[]> Write(JupyterMessage message)
    {
        var header = new JsonObject
        {
            ["msg_id"] = Guid.NewGuid().ToString("N"),
            ["session"] = session,
            ["username"] = "kernel",
            ["date"] = DateTime.UtcNow.ToString("o", CultureInfo.InvariantCulture),
            ["msg_type"] = message.Type,
            ["version"] = ProtocolVersion,
        };
        byte[][] parts = [Bytes(header), message.Parent.IsEmpty ? nothing : message.Parent.ToArray(), nothing, Bytes(message.Content)];

        // Subscribers of a broadcast may choose by its first frame.
        var identities = message.Channel == JupyterChannel.Iopub ? [Encoding.UTF8.GetBytes(message.Type)] : message.Identities;
        return [.. identities, delimiter, Sign(parts), .. parts];
    }

    private byte[] Sign(byte[][] parts)
    {
        if (key.Length == 0)
            return [];
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        foreach (var part in parts)
            hash.AppendData(part);
        return Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private static byte[] Bytes(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json, relaxed);

    private static JsonElement Parse(byte[] json, string part)
    {
        try
        {
            var element = JsonElement.Parse(json);
            return element.ValueKind == JsonValueKind.Object ? element : throw new JupyterProtocolException($"its {part} is no JSON object");
        }
        catch (JsonException error)
        {
            throw new JupyterProtocolException($"its {part} is not JSON: {error.Message}");
        }
    }
}
