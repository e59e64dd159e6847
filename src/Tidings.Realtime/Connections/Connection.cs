using System.Buffers.Text;
using System.Security.Cryptography;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Fanout;

namespace Tidings.Realtime.Connections;

/// <summary>
/// One client's live link, whatever its transport and protocol. It belongs to one shard for life: its subscriptions and everything
/// that is queued for it are touched only there. Members say who may call them.
/// </summary>
internal sealed class Connection
{
    private readonly SendQueue _queue;
    private readonly ITransport _transport;
    private readonly List<Subscription> _subscriptions = new(2);
    private List<Subscription>? _waitingForRoom;
    private TaskCompletionSource<CloseReason>? _completion; // made when somebody asks, or at the end
    private CloseReason? _closing;
    private long _heardAt;
    private long _wroteAt;
    private bool _isPinged;
    private bool _isWarned;

    internal Connection(RealtimeEngine engine, Shard shard, ClientIdentity identity, IWireFormat format, ITransport transport, object? protocolState, string? id)
    {
        Engine = engine;
        Shard = shard;
        Identity = identity;
        Format = format;
        ProtocolState = protocolState;
        Id = id ?? Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        _transport = transport;
        _queue = new SendQueue(this, transport);
        _heardAt = _wroteAt = engine.Clock.GetTimestamp();
    }

    /// <summary>Random, not a secret: other clients never learn it, and it gives no access.</summary>
    public string Id { get; }

    /// <summary>Who it is. A renewed token replaces it by one of the same user.</summary>
    public ClientIdentity Identity { get; internal set; }

    /// <summary>How messages become bytes for it.</summary>
    public IWireFormat Format { get; }

    /// <summary>The wire format's own, as given when the connection was opened.</summary>
    public object? ProtocolState { get; }

    /// <summary>Its subscriptions. Shard only.</summary>
    public IReadOnlyList<Subscription> Subscriptions => _subscriptions;

    /// <summary>Whether it is being closed. Any thread.</summary>
    public bool IsClosing => Volatile.Read(ref _closing) is not null;

    /// <summary>Completes with the reason when the transport is closed and nothing will be written any more. Any thread.</summary>
    public Task<CloseReason> Completion => CompletionSource().Task;

    internal RealtimeEngine Engine { get; }

    /// <summary>When something last arrived from the peer, a timestamp of the engine's clock. Any thread.</summary>
    internal long HeardAt => Volatile.Read(ref _heardAt);

    /// <summary>When another connection took it for vanished; 0 if none did. If nothing arrives from it any more it leaves nothing behind.</summary>
    internal long TakenOverAt { get; set; }

    /// <summary>When its first subscription was there, for a protocol whose clients tell no place. Shard only.</summary>
    internal DateTimeOffset? ReadsSince { get; set; }

    /// <summary>What it took over of a vanished connection, for a protocol that has no word for it. The adapter's caller only.</summary>
    internal Returning.ReaderClaim? Claim { get; set; }

    internal Shard Shard { get; }

    /// <summary>Its index among the connections of its shard.</summary>
    internal int ShardIndex { get; set; } = -1;

    /// <summary>Whether it is on the shard's list of connections to flush.</summary>
    internal bool IsTouched { get; set; }

    /// <summary>Something arrived from the peer: it is alive. Any thread.</summary>
    public void MarkAlive() => Volatile.Write(ref _heardAt, Engine.Clock.GetTimestamp());

    /// <summary>Queues the bytes of a message, which must not change any more. Shard only; wire formats call it.</summary>
    public void Queue(ReadOnlyMemory<byte> bytes) => Queue(bytes, false);

    /// <summary>Room for the bytes of a message that is for this reader alone, to be given to <see cref="QueueRoom"/> at once. Shard only.</summary>
    public Memory<byte> TakeRoom(int length) => Shard.Scratch.Take(length);

    /// <summary>Queues a message that was made in the room last taken. Shard only.</summary>
    public void QueueRoom(Memory<byte> room) => Queue(room, true);

    /// <summary>Something will be written to it at the end of this batch of work. Shard only; wire formats that keep events back call it.</summary>
    public void Touch() => Shard.Touch(this);

    /// <summary>Queues a message, after everything that was sent before, unless the connection is being closed by then. Any thread.</summary>
    public void Send(ServerMessage message) => Shard.Post(() => Write(message));

    /// <summary>
    /// Closes it, once: the subscriptions end now, what is queued goes out if the peer reads, then the transport says why. Any thread.
    /// </summary>
    public void Close(CloseReason reason)
    {
        ArgumentNullException.ThrowIfNull(reason);
        if (Interlocked.CompareExchange(ref _closing, reason, null) is not null) return;
        Shard.Post(End);
    }

    /// <summary>Queues a message. Shard only.</summary>
    internal void Write(ServerMessage message)
    {
        if (IsClosing) return;
        try
        {
            Format.WriteMessage(this, message);
        }
#pragma warning disable CA1031 // A client that gets no answer would wait for it for ever.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            FailToWrite(message.GetType().Name, exception);
        }
    }

    /// <summary>Something can't be said to it: rather no connection than a silent gap. Shard only.</summary>
    internal void FailToWrite(string what, Exception exception)
    {
        Engine.LogFault($"writing {what} for a connection", exception);
        Close(CloseReason.GoingAway(RealtimeEngine.RetryDelay()));
    }

    /// <summary>Starts writing what is queued. Shard only.</summary>
    internal void Flush()
    {
        if (ProtocolState is not null) Format.Release(this);
        _wroteAt = Engine.Clock.GetTimestamp();
        if (!_queue.TryFlush()) CutAsSlow();
    }

    /// <summary>
    /// Whether a replay may go on now. If not, the subscription is asked to go on when there is room: what was missed may be far more
    /// than may wait for a connection, and must not be mistaken for a slow reader. Shard only.
    /// </summary>
    internal bool MayReplay(Subscription subscription)
    {
        if (!_queue.HasRoom && !_queue.IsWriting) Flush(); // one batch may hold more than half for a reader that keeps up
        if (_queue.HasRoom) return true;

        ContinueLater(subscription);
        return false;
    }

    /// <summary>Whether the peer has not taken what was last written to it. Shard only.</summary>
    internal bool IsBehind => _queue.IsWriting;

    /// <summary>Asks a subscription to go on when the peer has taken something. Shard only.</summary>
    internal void ContinueLater(Subscription subscription) => (_waitingForRoom ??= []).Add(subscription);

    internal Subscription? SubscriptionTo(ChannelName channel)
    {
        foreach (var subscription in _subscriptions)
            if (subscription.Channel == channel) return subscription;
        return null;
    }

    internal void Add(Subscription subscription)
    {
        _subscriptions.Add(subscription);
        Engine.Metrics.CountSubscriptions(1);
        if (Format.TellsNoPlace) Engine.Returning.Changed(this);
    }

    internal void Remove(Subscription subscription)
    {
        if (!_subscriptions.Remove(subscription)) return;
        Engine.Metrics.CountSubscriptions(-1);
        if (Format.TellsNoPlace) Engine.Returning.Changed(this);
    }

    /// <summary>Looks after heartbeat and expiry, about once a second. Shard only.</summary>
    internal void Tick(long now, DateTimeOffset wallClock)
    {
        if (IsClosing) return;
        var options = Engine.Options;

        if (Identity.ExpiresAt is { } expiresAt)
        {
            if (wallClock >= expiresAt + options.ExpiryGrace)
            {
                Close(CloseReason.TokenExpired);
                return;
            }

            if (!_isWarned && wallClock >= expiresAt - options.ExpiryWarning)
            {
                _isWarned = true;
                Write(new TokenExpiringMessage(expiresAt));
            }
        }

        if (_queue.IsWriting && Engine.Clock.GetElapsedTime(_queue.ProgressAt, now) >= options.WriteTimeout)
        {
            CutAsSlow(); // it may well be talking to us: what it does not read is kept for it all the same
            return;
        }

        if (Format.Heartbeat.IsEmpty) return;
        var silence = Engine.Clock.GetElapsedTime(Volatile.Read(ref _heardAt), now);
        if (!Format.ExpectsAnswer)
        {
            if (Format.PeerSpeaksUnasked && silence >= options.HeartbeatInterval + options.PongTimeout) Close(CloseReason.NoPong);
            else if (Engine.Clock.GetElapsedTime(_wroteAt, now) >= options.StreamHeartbeatInterval) Queue(Format.Heartbeat);
            return;
        }

        if (silence < options.HeartbeatInterval)
        {
            _isPinged = false;
        }
        else if (!_isPinged)
        {
            _isPinged = true;
            Queue(Format.Heartbeat);
        }
        else if (silence >= options.HeartbeatInterval + options.PongTimeout)
        {
            Close(CloseReason.NoPong);
        }
    }

    /// <summary>The identity of a renewed token. Shard only.</summary>
    internal void Renew(ClientIdentity identity)
    {
        Identity = identity;
        _isWarned = false;
    }

    /// <summary>The peer has taken something: what waited for room goes on. Shard only.</summary>
    internal void FindRoom()
    {
        if (_waitingForRoom is not { } waiting) return;
        _waitingForRoom = null;
        foreach (var subscription in waiting) subscription.Continue();
    }

    private void Queue(ReadOnlyMemory<byte> bytes, bool isInScratch)
    {
        if (IsClosing) return;
        if (_queue.TryAdd(bytes, isInScratch)) Shard.Touch(this);
        else CutAsSlow();
    }

    private void CutAsSlow()
    {
        if (IsClosing) return;
        Engine.Metrics.CountSlowReader();
        _queue.Clear();
        Close(CloseReason.TooSlow);
    }

    /// <summary>Asks the peer for a sign of life now. Any thread.</summary>
    internal void Probe() => Shard.Post(() =>
    {
        Queue(Format.Probe);
        Shard.Touch(this);
    });

    /// <summary>For how long what was sent may not have been received, when it ends for a reason. Shard only.</summary>
    internal TimeSpan SilentFor(CloseReason reason)
    {
        var stuck = _queue.IsWriting ? Engine.Clock.GetElapsedTime(_queue.ProgressAt) : TimeSpan.Zero;
        var unheard = reason == CloseReason.NoPong ? Engine.Clock.GetElapsedTime(HeardAt) : TimeSpan.Zero;
        return stuck > unheard ? stuck : unheard;
    }

    private void End()
    {
        if (Format.TellsNoPlace) Engine.Returning.Ended(this, _closing!);
        for (var index = _subscriptions.Count - 1; index >= 0; index--) Shard.EndSubscription(_subscriptions[index]);
        Shard.Remove(this);
        _ = EndAsync(_closing!);
    }

    private async Task EndAsync(CloseReason reason)
    {
        var isDrained = _queue.TryFlush();
        try
        {
            await _queue.WhenDrainedAsync().WaitAsync(Engine.Options.CloseTimeout, Engine.Clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            isDrained = false;
        }

        try
        {
            await _transport.CloseAsync(reason, isDrained && !_queue.IsBroken).ConfigureAwait(false);
        }
        finally
        {
            Shard.Post(_queue.Clear);
            Engine.Forget(this);
            CompletionSource().TrySetResult(reason);
        }
    }

    private TaskCompletionSource<CloseReason> CompletionSource() =>
        LazyInitializer.EnsureInitialized(ref _completion, () => new TaskCompletionSource<CloseReason>(Engine.Scheduler.Completions));
}
