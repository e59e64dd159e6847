using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Tidings.Testing.Network;

/// <summary>
/// A bad network between a client and a server: delay, little bandwidth, a cut after so many bytes, a black hole, a reset, a half-close.
/// What is set holds for connections that are open too. The kernel's <c>netem</c> is not everywhere; this is.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<ProxiedConnection, Task> _connections = new();
    private readonly int _target;
    private readonly Task _accepting;

    public TcpProxy(int targetPort)
    {
        _target = targetPort;
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    /// <summary>What clients connect to.</summary>
    public Uri Address { get; }

    /// <summary>How long each piece of bytes is held, in both directions.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Bytes a second from the server to the client; 0: unlimited.</summary>
    public int DownstreamBytesPerSecond { get; set; }

    /// <summary>A connection is broken after so many bytes from the server; 0: never.</summary>
    public long CutAfterBytes { get; set; }

    /// <summary>Nothing passes any more, in either direction, and nobody is told.</summary>
    public bool IsBlackHole { get; set; }

    /// <summary>Connections that the server has not ended.</summary>
    public int OpenToServer => _connections.Keys.Count(connection => !connection.ServerHasEnded);

    /// <summary>Breaks all connections at once with a TCP reset on both sides.</summary>
    public void Reset()
    {
        foreach (var connection in _connections.Keys) connection.Reset();
    }

    /// <summary>Tells the server that the client will send no more; the other direction stays open.</summary>
    public void HalfClose()
    {
        foreach (var connection in _connections.Keys) connection.HalfClose();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        foreach (var connection in _connections.Keys) connection.Reset();
        await _accepting;
        await Task.WhenAll(_connections.Values);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_end.Token);
                var connection = new ProxiedConnection(this, client, _target);
                _connections[connection] = Task.CompletedTask; // known before the server can see it
                _connections[connection] = connection.RunAsync(_end.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The proxy ends.
        }
    }
}
