using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Tidings.Protocols.WebSockets;

/// <summary>
/// Straight to the socket of a plain connection that has been ours since its first byte: nothing was ever written to the server's own
/// pipe, so nothing can be overtaken or torn. What the peer does not take at once waits with the connection, not here.
/// </summary>
/// <param name="socket">The connection's socket, which does not block.</param>
/// <param name="connection">The connection, to be cut.</param>
/// <param name="receiver">Hears the peer's close.</param>
/// <param name="closeTimeout">How long saying goodbye may take.</param>
/// <param name="clock">The time.</param>
internal sealed class SocketTransport(Socket socket, ConnectionContext connection, WebSocketReceiver receiver, TimeSpan closeTimeout, TimeProvider clock)
    : WebSocketTransport(receiver, closeTimeout, clock)
{
    /// <inheritdoc />
    public override bool WritesAtOnce => true;

    /// <inheritdoc />
    public override int TryWrite(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var sent = socket.Send(bytes, SocketFlags.None, out var error);
            return error switch
            {
                SocketError.Success => sent,
                SocketError.WouldBlock => 0,
                _ => -1,
            };
        }
        catch (ObjectDisposedException)
        {
            return -1;
        }
    }

    /// <inheritdoc />
    protected override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                var sent = await socket.SendAsync(bytes, SocketFlags.None, cancellationToken);
                bytes = bytes[sent..];
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            throw new IOException("The peer is gone.", exception);
        }
    }

    /// <inheritdoc />
    protected override void Abort() => connection.Abort();
}
