using System.Text.Json;

namespace GradScope.Notebooks;

/// <summary>A connection file that a kernel cannot serve; the message says which and why.</summary>
public sealed class ConnectionFileException(string message) : Exception(message);

/// <summary>Where a Jupyter client wants to meet its kernel: one address, a port for each channel, and the key of signatures.</summary>
internal sealed record ConnectionFile(string Ip, int ShellPort, int ControlPort, int StdinPort, int IopubPort, int HeartbeatPort, string Key)
{
    /// <exception cref="ConnectionFileException">The file is missing, is not JSON, or asks for what this kernel does not have.</exception>
    public static ConnectionFile Load(string path)
    {
        try
        {
            return Read(JsonElement.Parse(File.ReadAllBytes(path)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or FormatException)
        {
            throw new ConnectionFileException($"{path}: {error.Message}. A Jupyter client writes this file and starts the kernel with it");
        }
    }

    private static ConnectionFile Read(JsonElement file)
    {
        if (Text("transport") is not "tcp" and var transport)
            throw new FormatException($"its transport is '{transport}'; this kernel has tcp alone (leave KernelManager.transport at its default)");
        if (Text("signature_scheme") is not "hmac-sha256" and var scheme)
            throw new FormatException($"its signature_scheme is '{scheme}'; this kernel signs with hmac-sha256");
        return new(Text("ip"), Port("shell_port"), Port("control_port"), Port("stdin_port"), Port("iopub_port"), Port("hb_port"), Text("key"));

        string Text(string name) => file.ValueKind == JsonValueKind.Object && file.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new FormatException($"'{name}' is missing");

        int Port(string name) => file.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var port) && port is > 0 and < 65536
            ? port
            : throw new FormatException($"'{name}' is not a port");
    }
}
