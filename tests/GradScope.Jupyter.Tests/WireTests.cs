using System.Text;
using System.Text.Json.Nodes;
using GradScope.Notebooks;
using GradScope.Testing;

namespace GradScope.Jupyter.Tests;

public class WireTests
{
    private static readonly JupyterWire wire = new("a key");
    private static readonly JupyterMessage message = new(JupyterChannel.Shell, [[7]], "kernel_info_reply", "{\"msg_id\":\"1\"}"u8.ToArray(), new() { ["html"] = "<b>½</b>" });

    [Fact]
    public void A_message_is_read_as_it_was_written()
    {
        var frames = wire.Write(message);
        var read = wire.Read(JupyterChannel.Shell, frames);
        Assert.Equal(("kernel_info_reply", "<b>½</b>"), (read.Type, read.Text("html")));
        Assert.Equal([7], read.Identities.Single());
        Assert.Equal("{\"html\":\"<b>½</b>\"}", Encoding.UTF8.GetString(frames[^1]));
        var header = JsonNode.Parse(frames[3])!;
        Assert.Equal("5.3", (string?)header["version"]);
        Assert.Equal("{\"msg_id\":\"1\"}", Encoding.UTF8.GetString(frames[4]));
    }

    [Fact]
    public void The_signature_is_that_of_the_protocol()
    {
        // printf '{"msg_type":"a"}{}{}{}' | openssl dgst -sha256 -hmac key
        byte[][] frames = [.. new[] { "<IDS|MSG>", "cb1d3df993c8d5e96e4430d55293bbc54ca70b0c2a603bb86f4a02e549c7cf09", "{\"msg_type\":\"a\"}", "{}", "{}", "{}" }.Select(Encoding.UTF8.GetBytes)];
        Assert.Equal("a", new JupyterWire("key").Read(JupyterChannel.Shell, frames).Type);
    }

    [Fact]
    public void Without_a_key_nothing_is_signed()
    {
        var open = new JupyterWire("");
        var frames = open.Write(message);
        Assert.Empty(frames[2]);
        Assert.Equal("kernel_info_reply", open.Read(JupyterChannel.Shell, frames).Type);
    }

    [Fact]
    public void A_broadcast_starts_with_its_type() =>
        Assert.Equal("stream", Encoding.UTF8.GetString(wire.Write(message with { Channel = JupyterChannel.Iopub, Type = "stream" })[0]));

    [Fact]
    public void Half_a_character_does_not_break_a_message() =>
        Assert.Equal("x\uFFFD", wire.Read(JupyterChannel.Shell, wire.Write(message with { Content = new() { ["text"] = "x\uD835" } })).Text("text"));

    [Theory]
    [InlineData("2 frames are no message", "a", "b")]
    [InlineData("6 frames are no message", "1", "2", "3", "4", "5", "6")]
    [InlineData("5 frames are no message", "<IDS|MSG>", "", "{}", "{}", "{}")]
    [InlineData("not signed with the key", "<IDS|MSG>", "00", "{}", "{}", "{}", "{}")]
    [InlineData("not signed with the key", "<IDS|MSG>", "", "{}", "{}", "{}", "{}")]
    public void What_is_no_signed_message_is_refused(string reason, params string[] frames) =>
        Assert.Contains(reason, Assert.Throws<JupyterProtocolException>(() => wire.Read(JupyterChannel.Shell, [.. frames.Select(Encoding.UTF8.GetBytes)])).Message);

    [Theory]
    [InlineData("its header has no msg_type", "{}", "{}")]
    [InlineData("its header has no msg_type", "{\"msg_type\":1}", "{}")]
    [InlineData("its header is not JSON", "{", "{}")]
    [InlineData("its header is no JSON object", "[]", "{}")]
    [InlineData("its content is not JSON", "{\"msg_type\":\"a\"}", "")]
    public void What_is_no_message_is_refused_though_signed(string reason, string header, string content) =>
        Assert.Contains(reason, Assert.Throws<JupyterProtocolException>(() => new JupyterWire("").Read(JupyterChannel.Shell,
            [.. new[] { "<IDS|MSG>", "", header, "{}", "{}", content }.Select(Encoding.UTF8.GetBytes)])).Message);

    [Theory]
    [InlineData("\"transport\": \"tcp\"", "\"transport\": \"ipc\"", "its transport is 'ipc'")]
    [InlineData("hmac-sha256", "hmac-md5", "its signature_scheme is 'hmac-md5'")]
    [InlineData("\"hb_port\": 5", "\"hb_port\": 0", "'hb_port' is not a port")]
    [InlineData("\"key\"", "\"other\"", "'key' is missing")]
    [InlineData("{", "", "invalid")]
    public void A_connection_file_that_cannot_be_served_is_told(string from, string to, string reason)
    {
        using var scratch = new Scratch();
        var text = """{"transport": "tcp", "signature_scheme": "hmac-sha256", "ip": "127.0.0.1", "key": "k", "shell_port": 1, "control_port": 2, "stdin_port": 3, "iopub_port": 4, "hb_port": 5}""";
        Assert.Equal(new ConnectionFile("127.0.0.1", 1, 2, 3, 4, 5, "k"), ConnectionFile.Load(scratch.Write("good.json", text)));
        var error = Assert.Throws<ConnectionFileException>(() => ConnectionFile.Load(scratch.Write("bad.json", text.Replace(from, to, StringComparison.Ordinal))));
        Assert.Contains(reason, error.Message);
    }

    [Fact]
    public void A_missing_connection_file_is_told() =>
        Assert.Contains("A Jupyter client writes this file", Assert.Throws<ConnectionFileException>(() => ConnectionFile.Load("nowhere.json")).Message);
}
