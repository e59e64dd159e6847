using Tidings.Protocols.Admission;
using Tidings.Protocols.EngineIo;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SocketIo;

/// <summary>The limits of a Socket.IO endpoint beside those of Engine.IO.</summary>
/// <param name="ConnectTimeout">How long a session may be in no namespace.</param>
/// <param name="MessageTimeout">How long the binary messages of a packet may take.</param>
/// <param name="Namespaces">The most namespaces of one session, those that it has left included.</param>
internal sealed record SocketIoSettings(TimeSpan ConnectTimeout, TimeSpan MessageTimeout, int Namespaces = 20);

/// <summary>Socket.IO, protocol 5, over one Engine.IO session: which namespaces the client is in, and packets that are in the midst of arriving.</summary>
internal sealed class SocketSession : IEngineIoPeer
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ISocket?> _sockets = new(1, StringComparer.Ordinal); // null where it has been and left
    private readonly ISocketNamespaces _namespaces;
    private readonly SocketIoSettings _settings;
    private readonly TimeProvider _clock;
    private readonly MessageRate? _rate;
    private readonly IDisposable? _place;
    private SocketPacket? _pending;
    private List<byte[]> _attachments = [];
    private long _attachedBytes;
    private long _pendingSince;
    private long _outsideSince;
    private CloseReason? _closed;

    /// <summary>Begins one.</summary>
    /// <param name="engine">Over which it goes.</param>
    /// <param name="namespaces">The namespaces there are.</param>
    /// <param name="settings">The limits.</param>
    /// <param name="clock">The time.</param>
    /// <param name="rate">How much the client may send; null for no limit.</param>
    /// <param name="place">Given back at the end.</param>
    public SocketSession(
        EngineSession engine, ISocketNamespaces namespaces, SocketIoSettings settings, TimeProvider clock, MessageRate? rate = null, IDisposable? place = null)
    {
        Engine = engine;
        (_namespaces, _settings, _clock, _rate, _place) = (namespaces, settings, clock, rate, place);
        _outsideSince = clock.GetTimestamp();
    }

    /// <summary>What it goes over.</summary>
    public EngineSession Engine { get; }

    /// <summary>Whether the client is in no namespace.</summary>
    public bool IsOutside => Volatile.Read(ref _outsideSince) != 0;

    /// <inheritdoc />
    public async ValueTask<CloseReason?> ReceiveAsync(ReadOnlyMemory<byte> message, bool isBinary, CancellationToken cancellationToken)
    {
        if (isBinary) return await TakeAttachmentAsync(message, cancellationToken);
        if (_pending is not null || SocketPacketParser.Parse(message) is not { } packet) return ParseError();
        if (packet.Attachments == 0) return await TakeAsync(packet, cancellationToken);

        var copy = message.ToArray(); // it is dealt with when its attachments are there
        _pending = SocketPacketParser.Parse(copy);
        (_attachments, _attachedBytes) = ([], copy.Length);
        Volatile.Write(ref _pendingSince, _clock.GetTimestamp());
        return null;
    }

    /// <inheritdoc />
    public void MarkAlive()
    {
        lock (_lock)
            foreach (var socket in _sockets.Values) socket?.MarkAlive();
    }

    /// <inheritdoc />
    public CloseReason? Tick(long now)
    {
        if (Volatile.Read(ref _outsideSince) is var outside and not 0 && _clock.GetElapsedTime(outside, now) >= _settings.ConnectTimeout)
            return CloseReason.Malformed("no_connect");
        return Volatile.Read(ref _pendingSince) is var pending and not 0 && _clock.GetElapsedTime(pending, now) >= _settings.MessageTimeout ? ParseError() : null;
    }

    /// <inheritdoc />
    public void Closed(CloseReason reason)
    {
        ISocket?[] sockets;
        lock (_lock)
        {
            _closed = reason;
            sockets = [.. _sockets.Values];
        }

        foreach (var socket in sockets) socket?.Closed(reason);
        _place?.Dispose();
    }

    private static CloseReason ParseError() => CloseReason.Malformed("parse_error");

    private ValueTask<CloseReason?> TakeAttachmentAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (_pending is not { } packet) return ValueTask.FromResult<CloseReason?>(ParseError());
        _attachedBytes += bytes.Length;
        if (_attachedBytes > Engine.MaxPayload) return ValueTask.FromResult<CloseReason?>(CloseReason.TooBig);

        _attachments.Add(bytes.ToArray());
        if (_attachments.Count < packet.Attachments) return ValueTask.FromResult<CloseReason?>(null);

        _pending = null;
        Volatile.Write(ref _pendingSince, 0);
        if (!SocketBinary.Fits(packet.Payload.Span, packet.Attachments)) return ValueTask.FromResult<CloseReason?>(ParseError());
        return TakeAsync(packet with { Binaries = _attachments }, cancellationToken);
    }

    private async ValueTask<CloseReason?> TakeAsync(SocketPacket packet, CancellationToken cancellationToken)
    {
        var verdict = _rate?.Take() ?? RateVerdict.Within;
        if (verdict == RateVerdict.OverForLong || (verdict == RateVerdict.Over && packet.Type == SocketPacketType.Connect)) return CloseReason.OverLimit(RetryDelay.Long());

        var isKnown = _sockets.TryGetValue(packet.Namespace, out var socket);
        switch (packet.Type)
        {
            case SocketPacketType.Connect when socket is not null:
                socket.RepeatReply();
                return null;

            case SocketPacketType.Connect:
                return isKnown || _sockets.Count < _settings.Namespaces ? await ConnectAsync(packet, cancellationToken) : CloseReason.OverLimit(RetryDelay.Long());

            case SocketPacketType.Disconnect when socket is not null:
                await LeaveAsync(packet.Namespace, socket);
                return null;

            case SocketPacketType.Disconnect:
                return isKnown ? null : ParseError();

            default:
                if (socket is not null) return await socket.ReceiveAsync(packet, verdict != RateVerdict.Within, cancellationToken);
                return isKnown ? null : ParseError(); // what was in flight when it ended is no mistake
        }
    }

    private async ValueTask<CloseReason?> ConnectAsync(SocketPacket packet, CancellationToken cancellationToken)
    {
        var entry = await _namespaces.ConnectAsync(this, packet.Namespace, packet.Payload, cancellationToken);
        if (entry.Error is { } error) Engine.Send(error);
        if (entry.Socket is not { } socket) return entry.End;

        CloseReason? closed;
        lock (_lock)
        {
            _sockets[packet.Namespace] = socket;
            Volatile.Write(ref _outsideSince, 0);
            closed = _closed;
        }

        if (closed is not null) socket.Closed(closed);
        return null;
    }

    private async Task LeaveAsync(string name, ISocket socket)
    {
        lock (_lock)
        {
            _sockets[name] = null;
            if (_sockets.Values.All(static other => other is null)) Volatile.Write(ref _outsideSince, _clock.GetTimestamp());
        }

        await socket.LeaveAsync();
    }
}
