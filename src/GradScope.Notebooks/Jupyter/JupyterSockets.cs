using System.Globalization;
using NetMQ;
using NetMQ.Sockets;

namespace GradScope.Notebooks;

/// <summary>
/// The five sockets of a kernel, bound to the address of its connection file and to no other. One thread reads and writes
/// them all; it never waits for a cell, so the heartbeat goes on whatever the kernel does.
/// </summary>
internal sealed class JupyterSockets : IDisposable
{
    private static readonly TimeSpan linger = TimeSpan.FromSeconds(1);

    private readonly JupyterWire wire;
    private readonly TextWriter log;
    private readonly Dictionary<JupyterChannel, NetMQSocket> sockets;
    private readonly ResponseSocket heartbeat = new();
    private readonly NetMQQueue<Action> outbox = new();
    private readonly NetMQPoller poller = [];

    /// <param name="connection">Where to bind.</param>
    /// <param name="log">Told of every message that is malformed or not signed.</param>
    /// <exception cref="ConnectionFileException">An address cannot be bound to.</exception>
    public JupyterSockets(ConnectionFile connection, TextWriter log)
    {
        wire = new(connection.Key);
        this.log = log;
        sockets = new()
        {
            [JupyterChannel.Shell] = new RouterSocket(),
            [JupyterChannel.Control] = new RouterSocket(),
            [JupyterChannel.Stdin] = new RouterSocket(),
            [JupyterChannel.Iopub] = new PublisherSocket(),
        };
        Bind(sockets[JupyterChannel.Shell], connection, connection.ShellPort);
        Bind(sockets[JupyterChannel.Control], connection, connection.ControlPort);
        Bind(sockets[JupyterChannel.Stdin], connection, connection.StdinPort);
        Bind(sockets[JupyterChannel.Iopub], connection, connection.IopubPort);
        Bind(heartbeat, connection, connection.HeartbeatPort);
    }

    /// <summary>Begins to send and to receive.</summary>
    /// <param name="receive">Gets each message that is well formed and signed, one at a time; it must not wait.</param>
    public void Serve(Action<JupyterRequest> receive)
    {
        foreach (var (channel, socket) in sockets.Where(entry => entry.Key != JupyterChannel.Iopub))
        {
            socket.ReceiveReady += (_, _) => Read(channel, socket, receive);
            poller.Add(socket);
        }
        heartbeat.ReceiveReady += (_, _) => heartbeat.SendMultipartMessage(heartbeat.ReceiveMultipartMessage());
        outbox.ReceiveReady += (_, _) =>
        {
            while (outbox.TryDequeue(out var act, TimeSpan.Zero))
                act();
        };
        poller.Add(heartbeat);
        poller.Add(outbox);
        poller.RunAsync("jupyter sockets");
    }

    /// <summary>Sends a message after all that were sent before, from any thread.</summary>
    public void Send(JupyterMessage message)
    {
        var frames = wire.Write(message);
        outbox.Enqueue(() => sockets[message.Channel].SendMultipartBytes(frames));
    }

    /// <summary>Sends what is still to be sent and gives the ports back.</summary>
    public void Dispose()
    {
        using var sent = new ManualResetEventSlim();
        outbox.Enqueue(sent.Set);
        sent.Wait(linger);
        poller.Dispose();
        foreach (var socket in sockets.Values)
            socket.Dispose();
        heartbeat.Dispose();
        outbox.Dispose();
        NetMQConfig.Cleanup();
    }

    private void Read(JupyterChannel channel, NetMQSocket socket, Action<JupyterRequest> receive)
    {
        // Leaves the thread to the other sockets after a while.
        var frames = new List<byte[]>();
        for (var i = 0; i < 100 && socket.TryReceiveMultipartBytes(TimeSpan.Zero, ref frames!); i++)
        {
            try
            {
                receive(wire.Read(channel, frames));
            }
            catch (JupyterProtocolException error)
            {
                log.WriteLine($"A message on {channel.ToString().ToLowerInvariant()} is ignored: {error.Message}");
            }
        }
    }

    private static void Bind(NetMQSocket socket, ConnectionFile connection, int port)
    {
        socket.Options.Linger = linger;
        // A slow client gets everything late instead of losing the message that it waits for.
        socket.Options.SendHighWatermark = 0;
        socket.Options.ReceiveHighWatermark = 0;
        var address = string.Create(CultureInfo.InvariantCulture, $"tcp://{connection.Ip}:{port}");
        try
        {
            socket.Bind(address);
        }
        catch (Exception error) when (error is NetMQException or System.Net.Sockets.SocketException)
        {
            throw new ConnectionFileException($"{address} cannot be bound to: {error.Message}. Start the kernel anew from its client, which chooses free ports");
        }
    }
}
