using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.EngineIo;

/// <summary>
/// One Engine.IO session, from its handshake to its end, over polling, a WebSocket, or first one and then the other. Safe for all threads.
/// </summary>
#pragma warning disable CA1001 // No handle is ever made of the semaphore, so there is nothing to give back.
internal sealed class EngineSession
#pragma warning restore CA1001
{
    private const int SidBytes = 18;

    /// <summary>How long a poll that a probe makes superfluous is held on: the upgrade itself may be on its way.</summary>
    private static readonly TimeSpan NoopDelay = TimeSpan.FromMilliseconds(10);

    private readonly Lock _lock = new();
    private readonly EngineSessions _all;
    private readonly SemaphoreSlim? _inbound; // requests of a polling session overlap
    private IEngineIoPeer? _peer;
    private CancellationTokenSource? _upgrade;
    private Task? _ending;
    private long _beatAt;
    private long _closedAt;
    private bool _awaitsPong;
    private bool _isProbed;
    private int _polls;
    private int _posts;

    /// <summary>Begins one. The peer is given to <see cref="Start"/>.</summary>
    public EngineSession(EngineSessions all, WebSocketTransport? socket, bool takesNoBinary)
    {
        _all = all;
        TakesNoBinary = takesNoBinary;
        Sid = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SidBytes));
        Outbox = new EngineOutbox(all.Settings, all.Clock);
        _beatAt = all.Clock.GetTimestamp();
        if (socket is null) _inbound = new SemaphoreSlim(1, 1);
        else Outbox.MoveTo(socket);
    }

    /// <summary>What a client names it by: whoever knows it is the client, so it is never logged.</summary>
    public string Sid { get; }

    /// <summary>The way out.</summary>
    public EngineOutbox Outbox { get; }

    /// <summary>The longest message, in bytes.</summary>
    public int MaxPayload => _all.Settings.MaxPayload;

    /// <summary>Whether it is over. A poll may still have to hear of it.</summary>
    public bool IsClosed => Volatile.Read(ref _ending) is not null;

    /// <summary>Whether the client wants binary messages as text (<c>b64=1</c>).</summary>
    private bool TakesNoBinary { get; }

    /// <summary>What is spoken over it.</summary>
    public IEngineIoPeer? Peer => _peer;

    /// <summary>Gives it what is spoken over it. Before anything is received.</summary>
    public void Start(IEngineIoPeer peer) => _peer = peer;

    /// <summary>Sends frames as one unit, after everything that was sent before. A client for which too much waits is cut.</summary>
    public void Send(ReadOnlyMemory<byte> frames)
    {
        if (!Outbox.TrySend(frames)) _ = CloseAsync(CloseReason.TooSlow, writable: false);
    }

    /// <summary>The frame of a binary message in the form that the client takes.</summary>
    public byte[] BinaryFrame(ReadOnlySpan<byte> bytes) =>
        TakesNoBinary ? FrameWriter.Text(PollPayload.EncodeBinary(bytes)) : FrameWriter.Frame(FrameOpcode.Binary, bytes);

    /// <summary>Deals with a packet.</summary>
    /// <param name="packet">Its bytes, valid UTF-8.</param>
    /// <param name="cancellationToken">Ends with the request that brought it.</param>
    /// <returns>Why the session must end, or null.</returns>
    public async ValueTask<CloseReason?> TakePacketAsync(ReadOnlyMemory<byte> packet, CancellationToken cancellationToken)
    {
        switch (EnginePackets.TypeOf(packet.Span))
        {
            case EnginePacketType.Message:
                return await TakeMessageAsync(packet[1..], false, cancellationToken);

            case EnginePacketType.Binary when PollPayload.DecodeBinary(packet.Span[1..]) is { } bytes:
                return await TakeMessageAsync(bytes, true, cancellationToken);

            case EnginePacketType.Pong:
                TakePong();
                return null;

            case EnginePacketType.Ignored or EnginePacketType.Upgrade:
                return null;

            case EnginePacketType.Close:
                return CloseReason.Normal;

            case EnginePacketType.Ping:
                return CloseReason.Malformed("transport_error");

            default:
                return CloseReason.Malformed("parse_error");
        }
    }

    /// <summary>Deals with a message.</summary>
    /// <returns>Why the session must end, or null.</returns>
    public async ValueTask<CloseReason?> TakeMessageAsync(ReadOnlyMemory<byte> message, bool isBinary, CancellationToken cancellationToken)
    {
        if (_inbound is not null) await _inbound.WaitAsync(cancellationToken);
        try
        {
            return IsClosed ? CloseReason.Normal : await _peer!.ReceiveAsync(message, isBinary, cancellationToken);
        }
        finally
        {
            _inbound?.Release();
        }
    }

    /// <summary>Looks after heartbeat and deadlines.</summary>
    /// <returns>False if nothing is left of it.</returns>
    public bool Tick(long now)
    {
        var clock = _all.Clock;
        if (IsClosed) return !Outbox.IsOnSocket && clock.GetElapsedTime(_closedAt, now) < _all.Settings.FarewellTimeout;

        var isDue = false;
        CloseReason? reason = null;
        lock (_lock)
        {
            if (!_awaitsPong && clock.GetElapsedTime(_beatAt, now) >= _all.Settings.PingInterval)
            {
                // The answer's time runs from when the ping was due; but if we ourselves are late, at least half of it is left.
                var due = _beatAt + TicksOf(_all.Settings.PingInterval);
                _beatAt = Math.Max(due, now - TicksOf(_all.Settings.PingTimeout / 2));
                isDue = _awaitsPong = true;
            }

            if (_awaitsPong && clock.GetElapsedTime(_beatAt, now) >= _all.Settings.PingTimeout) reason = CloseReason.NoPong;
        }

        if (isDue) Send(EnginePackets.Ping);
        reason ??= _peer?.Tick(now);
        if (reason is not null) _ = CloseAsync(reason);
        return true;
    }

    /// <summary>Marks a poll or a post as under way.</summary>
    /// <returns>False if there is one already, which ends the session.</returns>
    public bool TryEnter(bool isPoll)
    {
        if (Interlocked.Increment(ref isPoll ? ref _polls : ref _posts) == 1) return true;
        Leave(isPoll);
        _ = CloseAsync(CloseReason.Malformed("overlap"));
        return false;
    }

    /// <summary>A poll or a post is done.</summary>
    public void Leave(bool isPoll) => Interlocked.Decrement(ref isPoll ? ref _polls : ref _posts);

    /// <summary>Holds a poll until there is something; what waits is in <paramref name="body"/> then or at once.</summary>
    /// <returns>What to answer.</returns>
    public async Task<PollAnswer> PollAsync(ArrayBufferWriter<byte> body, CancellationToken aborted)
    {
        bool isDuringUpgrade, isProbed;
        lock (_lock) (isDuringUpgrade, isProbed) = (_upgrade is not null, _isProbed);
        if (Outbox.Poll(body, isDuringUpgrade) is not { } held) return IsClosed ? PollAnswer.Close : PollAnswer.Packets;

        if (isProbed) _ = ReleaseSoonAsync(held);
        var answer = await held.Answer.WaitAsync(aborted);
        Outbox.TakeInto(body);
        return answer;
    }

    /// <summary>A WebSocket wants to take over.</summary>
    /// <param name="upgrade">Cancelled when the session ends.</param>
    /// <returns>False if one has, or is about to.</returns>
    public bool TryBeginUpgrade(CancellationTokenSource upgrade)
    {
        lock (_lock)
        {
            if (IsClosed || Outbox.IsOnSocket || _upgrade is not null) return false;
            _upgrade = upgrade;
            return true;
        }
    }

    /// <summary>It has been probed: polls are answered, so that the client finds a moment without one.</summary>
    public void NoteProbe()
    {
        lock (_lock) _isProbed = true;
        _ = ReleaseSoonAsync(null);
    }

    /// <summary>Nothing came of it: polling goes on. Harmless when it took over.</summary>
    public void AbandonUpgrade(CancellationTokenSource upgrade)
    {
        lock (_lock)
            if (_upgrade == upgrade) (_upgrade, _isProbed) = (null, false);
    }

    /// <summary>It takes over.</summary>
    /// <returns>False if it has been abandoned, or the session is over.</returns>
    public bool TryCompleteUpgrade(CancellationTokenSource upgrade, WebSocketTransport socket)
    {
        lock (_lock)
        {
            if (IsClosed || _upgrade != upgrade) return false;
            (_upgrade, _isProbed) = (null, false);
            Outbox.MoveTo(socket);
            return true;
        }
    }

    /// <summary>Ends it, once.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="writable">False when nothing more can be said.</param>
    /// <param name="farewell">What a held poll is told.</param>
    /// <returns>Completes when the client has been told, as far as it can be.</returns>
    public Task CloseAsync(CloseReason reason, bool writable = true, PollAnswer farewell = PollAnswer.Close)
    {
        CancellationTokenSource? upgrade;
        lock (_lock)
        {
            if (_ending is not null) return _ending;
            _closedAt = _all.Clock.GetTimestamp();
            upgrade = _upgrade;
            Volatile.Write(ref _ending, Outbox.EndAsync(reason, writable, farewell));
        }

        if (Outbox.IsOnSocket || !IsOrderly(reason)) _all.Remove(this);
        try
        {
            upgrade?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just been abandoned.
        }

        _peer?.Closed(reason);
        return _ending;
    }

    /// <summary>Whether a client that polls next is to hear of the end; after a mistake, or when it is gone, its session is simply not there.</summary>
    private static bool IsOrderly(CloseReason reason) => reason.Code is 1001 or >= 4401 && reason != CloseReason.NoPong;

    private void TakePong()
    {
        lock (_lock)
        {
            if (_awaitsPong) (_awaitsPong, _beatAt) = (false, _all.Clock.GetTimestamp());
        }

        _peer?.MarkAlive();
    }

    private async Task ReleaseSoonAsync(PollWaiter? held)
    {
        await Task.Delay(NoopDelay, _all.Clock);
        if (!Outbox.IsOnSocket) Outbox.ReleasePoll(PollAnswer.Noop, held);
    }

    private long TicksOf(TimeSpan time) => (long)(time.TotalSeconds * _all.Clock.TimestampFrequency);
}
