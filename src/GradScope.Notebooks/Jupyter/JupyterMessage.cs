using System.Text.Json;
using System.Text.Json.Nodes;

namespace GradScope.Notebooks;

/// <summary>The sockets that messages go over, beside the heartbeat.</summary>
internal enum JupyterChannel
{
    Shell,
    Control,
    Stdin,
    Iopub,
}

/// <summary>A message from a client, its signature checked.</summary>
/// <param name="Channel">Where it came in, and where its reply goes out.</param>
/// <param name="Identities">The way back to its sender.</param>
/// <param name="Header">As it came, to be the parent of every answer.</param>
/// <param name="Type">For instance <c>execute_request</c>.</param>
/// <param name="Content">A JSON object.</param>
internal sealed record JupyterRequest(
    JupyterChannel Channel, IReadOnlyList<byte[]> Identities, ReadOnlyMemory<byte> Header, string Type, JsonElement Content)
{
    /// <summary>The text of that name.</summary>
    /// <exception cref="JupyterProtocolException">There is none.</exception>
    public string Text(string name) => OptionalText(name) ?? throw Missing(name, "a text");

    public string? OptionalText(string name) =>
        Content.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public bool Flag(string name, bool otherwise) =>
        Content.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : otherwise;

    /// <summary>The whole number of that name.</summary>
    /// <exception cref="JupyterProtocolException">There is none.</exception>
    public int Number(string name) => OptionalNumber(name) ?? throw Missing(name, "a whole number");

    public int? OptionalNumber(string name) =>
        Content.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;

    /// <summary>A message of this one's doing, on the way back to its sender or to everybody.</summary>
    public JupyterMessage Answer(JupyterChannel channel, string type, JsonObject content) =>
        new(channel, channel == JupyterChannel.Iopub ? [] : Identities, type, Header, content);

    private JupyterProtocolException Missing(string name, string what) => new($"{Type}: its content has no '{name}' that is {what}");
}

/// <summary>A message to a client, or on <see cref="JupyterChannel.Iopub"/> to all of them.</summary>
internal sealed record JupyterMessage(
    JupyterChannel Channel, IReadOnlyList<byte[]> Identities, string Type, ReadOnlyMemory<byte> Parent, JsonObject Content);

/// <summary>Something came in that is no message of the protocol, or is not signed with the connection's key.</summary>
internal sealed class JupyterProtocolException(string message) : Exception(message);
