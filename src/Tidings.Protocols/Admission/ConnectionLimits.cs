using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.Extensions.Options;
using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Admission;

/// <summary>
/// How many live connections, event streams and waiting polls this node holds: altogether, from one address, and how many more it takes
/// in a second. Asked before a token is looked at, so that a flood costs no signatures. Safe for all threads; what it remembers is bounded
/// by what is open.
/// </summary>
internal sealed class ConnectionLimits(IOptions<NativeProtocolOptions> options, RealtimeEngine engine)
{
    private readonly NativeProtocolOptions _options = options.Value;
    private readonly ConcurrentDictionary<ClientAddress, int> _ofAddress = new();
    private readonly Lock _lock = new();
    private double _handshakes = options.Value.HandshakesPerSecond;
    private long _filledAt = engine.Clock.GetTimestamp();
    private int _open;

    /// <summary>How many places are taken.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>
    /// Takes a place for a client that has just come. The place is given back by disposing it when the client is gone, however far it came.
    /// </summary>
    /// <param name="address">
    /// Where it comes from, as seen after the headers of trusted proxies were applied; null if that cannot be known. An address that is
    /// still that of a trusted proxy is not the client's: all its clients would share one limit, so it is not counted by address.
    /// </param>
    /// <param name="place">The place, if it may come in.</param>
    /// <param name="refusal">Why not, and when it may come back.</param>
    public bool TryEnter(IPAddress? address, [NotNullWhen(true)] out ConnectionPlace? place, [NotNullWhen(false)] out CloseReason? refusal)
    {
        (place, refusal) = (null, null);
        if (!TakeHandshake())
        {
            engine.Metrics.CountRefusal(Refusal.Handshakes);
            refusal = CloseReason.Unavailable(RetryDelay.Long());
            return false;
        }

        if (Interlocked.Increment(ref _open) > _options.Connections)
        {
            Interlocked.Decrement(ref _open);
            engine.Metrics.CountRefusal(Refusal.ConnectionsTotal);
            refusal = CloseReason.Unavailable(RetryDelay.Long());
            return false;
        }

        var client = ClientAt(address);
        if (client is { } known && !TakeOf(known))
        {
            Interlocked.Decrement(ref _open);
            engine.Metrics.CountRefusal(Refusal.ConnectionsPerAddress);
            refusal = CloseReason.OverLimit(RetryDelay.Long());
            return false;
        }

        place = new ConnectionPlace(this, client);
        return true;
    }

    internal void Leave(ClientAddress? client)
    {
        Interlocked.Decrement(ref _open);
        if (client is not { } known) return;
        while (true)
        {
            var count = _ofAddress[known];
            if (count > 1 ? _ofAddress.TryUpdate(known, count - 1, count) : _ofAddress.TryRemove(KeyValuePair.Create(known, count))) return;
        }
    }

    private ClientAddress? ClientAt(IPAddress? address)
    {
        if (address is null) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        foreach (var proxy in _options.TrustedProxies)
            if (proxy.Contains(address)) return null;
        return ClientAddress.Of(address);
    }

    private bool TakeOf(ClientAddress client)
    {
        while (true)
        {
            if (!_ofAddress.TryGetValue(client, out var count))
            {
                if (_ofAddress.TryAdd(client, 1)) return true;
            }
            else if (count >= _options.ConnectionsPerAddress)
            {
                return false;
            }
            else if (_ofAddress.TryUpdate(client, count + 1, count))
            {
                return true;
            }
        }
    }

    /// <summary>A bucket that holds one second's worth.</summary>
    private bool TakeHandshake()
    {
        lock (_lock)
        {
            var now = engine.Clock.GetTimestamp();
            var filled = Math.Max(0, engine.Clock.GetElapsedTime(_filledAt, now).TotalSeconds) * _options.HandshakesPerSecond;
            _handshakes = Math.Min(_options.HandshakesPerSecond, _handshakes + filled);
            _filledAt = now;
            if (_handshakes < 1) return false;
            _handshakes--;
            return true;
        }
    }
}

/// <summary>One client's place among those that may be open. Disposing it gives it back, once. Safe for all threads.</summary>
internal sealed class ConnectionPlace(ConnectionLimits limits, ClientAddress? client) : IDisposable
{
    private int _isGivenBack;

    /// <inheritdoc />
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isGivenBack, 1) == 0) limits.Leave(client);
    }
}
