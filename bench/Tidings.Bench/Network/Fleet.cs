using System.Net;

namespace Tidings.Bench.Network;

/// <summary>Many subscribed connections, opened with a bounded number of handshakes under way. A connection that ends ends the run.</summary>
internal sealed class Fleet : ISubscriber, IDisposable
{
    private const int HandshakesUnderWay = 128;

    private readonly EventLoop _loop;
    private readonly IPEndPoint _server;
    private readonly Dialect _dialect;
    private readonly Received? _received;
    private readonly int _firstNumber;
    private readonly List<WebSocketConnection> _connections = [];
    private bool _isClosing;

    internal Fleet(EventLoop loop, IPEndPoint server, Dialect dialect, Received? received = null, int firstNumber = 0)
    {
        _loop = loop;
        _server = server;
        _dialect = dialect;
        _received = received;
        _firstNumber = firstNumber;
    }

    /// <summary>Called for every event after the subscription was confirmed.</summary>
    internal delegate void Received(WebSocketConnection connection, ReadOnlySpan<byte> message, long at);

    internal int Subscribed { get; private set; }

    internal IReadOnlyList<WebSocketConnection> Connections => _connections;

    /// <summary>Returns when the last of them has been told that it is subscribed.</summary>
    internal void Open(int count, TimeSpan limit)
    {
        var all = _connections.Count + count;
        var isOpen = _loop.RunUntil(
            () =>
            {
                while (_connections.Count < all && _connections.Count - Subscribed < HandshakesUnderWay)
                    _connections.Add(new WebSocketConnection(_loop, _server, _firstNumber + _connections.Count, _dialect, this));
                return Subscribed == all;
            },
            limit);
        if (!isOpen)
            throw new BenchException($"Only {Subscribed} of {all} connections were subscribed within {limit.TotalSeconds} s.", _server);
    }

    public void OnSubscribed(WebSocketConnection connection) => Subscribed++;

    public void OnMessage(WebSocketConnection connection, ReadOnlySpan<byte> message, long at) => _received?.Invoke(connection, message, at);

    public void OnClosed(WebSocketConnection connection, string why)
    {
        if (!_isClosing)
            throw new BenchException($"Connection {connection.Number} of {_connections.Count} ended: {why}.", _server);
    }

    public void Dispose()
    {
        _isClosing = true;
        foreach (var connection in _connections)
            connection.Dispose();
    }
}
