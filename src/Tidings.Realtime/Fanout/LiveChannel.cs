using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;
using Tidings.Realtime.Scheduling;

namespace Tidings.Realtime.Fanout;

/// <summary>
/// A channel that somebody on this node reads or has read a moment ago. Its lock covers where it stands, the ring and the order in
/// which publications are handed to the shards; each shard's readers are touched on that shard only.
/// </summary>
internal sealed class LiveChannel(ChannelName name, ChannelRules rules, RealtimeEngine engine)
{
    private const int ArrivedLimit = 10_000;

    /// <summary>How long a publication that ran ahead of one of another transaction is waited for before the log is read.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(25);

    private static readonly ChannelSnapshot NoHistory = new(0, 0, 0, []);

    private readonly Lock _lock = new();
    private readonly IChannelListener? _listener = engine.Listener?.Channel == name ? engine.Listener : null;
    private readonly ChannelReaders?[] _readers = new ChannelReaders?[engine.Options.Shards];
    private readonly int[] _readerCounts = new int[engine.Options.Shards];
    private readonly Ring _ring = new(Math.Min(engine.Options.RingEvents, rules.History));
    private State _state;
    private Task _reading = Task.CompletedTask;
    private List<Publication> _arrived = [];
    private Position _top;
    private long _trimmedThrough;
    private long _unreadSince = engine.Clock.GetTimestamp();
    private int _repair;
    private bool _isRetired;
    private bool _beginsAnew;

    private enum State
    {
        /// <summary>Nobody but feeds has asked for it, and they don't need to know where it stands.</summary>
        Unread,

        /// <summary>Its place is being read from the log, once what other nodes publish arrives here.</summary>
        Reading,

        /// <summary>Its place is known.</summary>
        Ready,

        /// <summary>A publication ran ahead; what is between is being read from the log.</summary>
        Repairing,
    }

    /// <summary>Its name.</summary>
    public ChannelName Name => name;

    /// <summary>Its kind's rules.</summary>
    public ChannelRules Rules => rules;

    /// <summary>Whether it was given up, so that it must be looked up again.</summary>
    public bool IsRetired
    {
        get
        {
            lock (_lock) return _isRetired;
        }
    }

    /// <summary>Completes when it is known where the channel stands. One read serves all who wait.</summary>
    public Task ReadyAsync()
    {
        lock (_lock)
        {
            if (_state == State.Ready) return Task.CompletedTask;
            if (_state == State.Unread || _reading.IsFaulted) StartReading(_state == State.Repairing ? State.Repairing : State.Reading);
            return engine.Scheduler.ForWaiter(_reading);
        }
    }

    /// <summary>Takes a publication that has just been carried here: for each reader in order, once, without a hole.</summary>
    /// <returns>False if nobody reads it, and it does not know where it stands either: then it did nothing.</returns>
    public bool Apply(Publication publication)
    {
        lock (_lock)
        {
            var isInLog = publication.Sequence != 0;
            if (!publication.Position.Exists)
            {
                Hand(publication, ReaderScope.Direct);
            }
            else if ((_state == State.Ready || (_state == State.Repairing && engine.Fanout.FeedsFollowChannels)) && IsNext(publication.Position))
            {
                Advance(publication, isInLog ? ReaderScope.Direct | ReaderScope.Feeds : ReaderScope.Direct);
                if (_state == State.Repairing) AdvanceArrived();
            }
            else
            {
                var isForChannel = isInLog && engine.Fanout.FeedsFollowChannels;

                // Feeds go by the order of the whole log, in which it comes now, wherever the channel itself stands.
                if (isInLog && !isForChannel) Hand(publication, ReaderScope.Feeds);
                if (_state == State.Unread && !(isForChannel && HasReaders)) return !isForChannel;
                if (IsKnown(publication)) return true;

                if (_arrived.Count < ArrivedLimit) _arrived.Add(publication);
                if (_state == State.Reading || (_state == State.Repairing && !_reading.IsFaulted)) return true;
                if (_state == State.Unread) StartReading(State.Reading);
                else StartReading(State.Repairing);
            }

            return true;
        }
    }

    /// <summary>Completes when what has arrived so far has been handed to the readers; fails if the log could not be read for it.</summary>
    public Task SettledAsync()
    {
        lock (_lock) return _state is State.Reading or State.Repairing ? engine.Scheduler.ForWaiter(_reading) : Task.CompletedTask;
    }

    /// <summary>Whether it does not know of a place in the log, or is still reading. Any thread.</summary>
    public bool IsBehind(Position place)
    {
        lock (_lock) return _state != State.Ready || place.Epoch != _top.Epoch || place.Offset > _top.Offset;
    }

    /// <summary>Its history has begun anew, since something of it is missing: its readers are cut, and told when they come back. Any thread.</summary>
    public void BeginAnew()
    {
        lock (_lock)
        {
            _beginsAnew = _state is State.Reading or State.Repairing; // what is being read may be of before
            if (!_beginsAnew) Forget();
        }
    }

    /// <summary>Rewrites what it has in memory. Any thread.</summary>
    public void Rewrite(Func<PublicationDraft, PublicationDraft?> change)
    {
        lock (_lock)
        {
            foreach (var publication in _ring.All) publication.Rewrite(change);
            foreach (var publication in _arrived) publication.Rewrite(change);
        }
    }

    /// <summary>A place up to which there is nothing younger than a moment; null if that must be looked for in the log. Any thread.</summary>
    public Position? PlaceAt(DateTimeOffset moment)
    {
        lock (_lock)
        {
            if (_state != State.Ready) return null;
            if (_top.Offset == _trimmedThrough) return _top;
            return _ring.OffsetAt(moment, _trimmedThrough + 1) is { } offset ? _top with { Offset = offset } : null;
        }
    }

    /// <summary>Adds a direct reader and says how it catches up. On the reader's shard.</summary>
    /// <returns>Null if it must be looked up and waited for once more.</returns>
    public CatchUp? Join(Subscription subscription, Shard shard, Position? since)
    {
        lock (_lock)
        {
            if (_isRetired || _state != State.Ready) return null;

            var direct = ReadersOn(shard).Direct;
            subscription.ReaderIndex = direct.Count;
            direct.Add(subscription);
            _readerCounts[shard.Index]++;
            return CatchUpFrom(since);
        }
    }

    /// <summary>Removes a direct reader. On the reader's shard.</summary>
    public void Leave(Subscription subscription, Shard shard)
    {
        var direct = _readers[shard.Index]!.Direct;
        var last = direct[^1];
        direct[subscription.ReaderIndex] = last;
        last.ReaderIndex = subscription.ReaderIndex;
        direct.RemoveAt(direct.Count - 1);
        subscription.ReaderIndex = -1;
        Release(shard);
    }

    /// <summary>How many direct readers it has on a shard. On that shard.</summary>
    public int DirectCountOn(Shard shard) => _readers[shard.Index]?.Direct.Count ?? 0;

    /// <summary>Adds a feed, for which <see cref="TryReserve"/> has made room. On the feed's shard.</summary>
    public void Join(FeedLink link, Shard shard)
    {
        var feeds = ReadersOn(shard).Feeds;
        link.ReaderIndex = feeds.Count;
        feeds.Add(link);
    }

    /// <summary>Removes a feed. On the feed's shard.</summary>
    public void Leave(FeedLink link, Shard shard)
    {
        var feeds = _readers[shard.Index]!.Feeds;
        var last = feeds[^1];
        feeds[link.ReaderIndex] = last;
        last.ReaderIndex = link.ReaderIndex;
        feeds.RemoveAt(feeds.Count - 1);
        Release(shard);
    }

    /// <summary>From now on publications are handed to a shard, for a reader that is about to join there. Any thread.</summary>
    /// <returns>False if the channel was given up: look it up again.</returns>
    public bool TryReserve(int shard)
    {
        lock (_lock)
        {
            if (_isRetired) return false;
            _readerCounts[shard]++;
            return true;
        }
    }

    /// <summary>Takes back a reservation, or the place of a reader that left. Any thread.</summary>
    public void Release(Shard shard)
    {
        lock (_lock)
        {
            _readerCounts[shard.Index]--;
            _unreadSince = engine.Clock.GetTimestamp();
        }
    }

    /// <summary>Gives the channel up if nobody has read it for a while. Any thread.</summary>
    public bool TryRetire()
    {
        lock (_lock)
        {
            if (_isRetired) return true;
            if (HasReaders || _state is State.Reading or State.Repairing) return false;
            if (engine.Clock.GetElapsedTime(_unreadSince) < engine.Options.ChannelLinger) return false;
            return _isRetired = true;
        }
    }

    /// <summary>Gives publications to the readers on one shard, in order. On that shard.</summary>
    /// <param name="shard">The shard.</param>
    /// <param name="publications">At least one; one that has an effect is by itself.</param>
    /// <param name="scope">Which of the readers.</param>
    public void DeliverOn(Shard shard, ReadOnlySpan<Publication> publications, ReaderScope scope)
    {
        var readers = _readers[shard.Index];
        if (readers is not null && scope.HasFlag(ReaderScope.Direct)) DeliverDirect(readers.Direct, shard, publications);
        if (!scope.HasFlag(ReaderScope.Feeds)) return;

        // Backwards, since a delivery may end the reader, whose place the last one takes. A source that was read from the database may
        // have been taken in behind what is only now carried here.
        for (var index = (readers?.Feeds.Count ?? 0) - 1; index >= 0; index--)
        {
            var link = readers!.Feeds[index];
            foreach (var publication in publications)
                if (publication.Sequence > link.Since && publication.Position.Offset > link.Through) link.Feed.Deliver(publication);
            shard.FlushIfDue();
        }

        if (rules.IsFeed && publications[0] is { Draft.Effect: { } effect } change) ApplyToFeed(shard, effect, change.FeedPosition.Offset);
    }

    private static void DeliverDirect(List<Subscription> direct, Shard shard, ReadOnlySpan<Publication> publications)
    {
        var closes = publications[0].Draft.Effect?.Kind == ChannelEffectKind.Close;
        for (var index = direct.Count - 1; index >= 0; index--)
        {
            var subscription = direct[index];
            foreach (var publication in publications) subscription.Deliver(publication);
            if (closes)
            {
                shard.EndSubscription(subscription);
                subscription.Connection.Write(new UnsubscribedMessage(null, subscription.Channel, "access_revoked"));
            }

            shard.FlushIfDue();
        }
    }

    private void CutOn(Shard shard)
    {
        foreach (var subscription in _readers[shard.Index]?.Direct ?? [])
        {
            engine.Metrics.CountHole();
            subscription.Connection.Close(CloseReason.GoingAway(RealtimeEngine.RetryDelay()));
        }
    }

    private void ApplyToFeed(Shard shard, ChannelEffect effect, long sequence)
    {
        if (effect.Target is not { } target) return;
        var feed = shard.Feeds.GetValueOrDefault(name);
        if (effect.Kind == ChannelEffectKind.Detach) feed?.Detach(target);
        else if (effect.Kind != ChannelEffectKind.Attach) return;
        else if (feed is null) engine.Channels.Get(target).Release(shard);
        else feed.AttachReserved(target, sequence);
    }

    private void ReserveForFeeds(ChannelEffect? effect)
    {
        // A creator's next publication must reach the shards of a feed that takes the creator in with this one, although the feed
        // itself joins only when its shard comes to it.
        if (!rules.IsFeed || effect is not { Kind: ChannelEffectKind.Attach, Target: { } target }) return;
        for (var shard = 0; shard < _readerCounts.Length; shard++)
            if (_readerCounts[shard] > 0) engine.Channels.Reserve(target, shard);
    }

    private CatchUp CatchUpFrom(Position? since)
    {
        if (since is not { } place) return new CatchUp(CatchUpKind.LiveOnly, _top, null);
        if ((place.Epoch != _top.Epoch && Mutants.Active != Mutant.NoEpoch) || place.Offset < _trimmedThrough) return new CatchUp(CatchUpKind.Lost, _top, null);
        if (place.Offset == _top.Offset) return new CatchUp(CatchUpKind.Replay, _top, []);

        // A place ahead of ours may be true: a page that was loaded from the database a moment before the event was carried here.
        var missed = place.Offset < _top.Offset ? _ring.Since(place.Offset) : null;
        return missed is not null ? new CatchUp(CatchUpKind.Replay, _top, missed) : new CatchUp(CatchUpKind.ReadLog, _top, null);
    }

    private bool HasReaders => _readerCounts.AsSpan().ContainsAnyExcept(0);

    private void StartReading(State state)
    {
        _state = state;
        var handedOver = engine.Fanout.Applied.Offset;
        var repair = ++_repair;
        _reading = engine.Scheduler.RunAsync(state == State.Repairing ? () => RepairAsync(repair) : () => ReadAsync(handedOver));
    }

    /// <param name="handedOver">If feeds follow channels: what is after this place in the whole log has not been handed to them.</param>
    private async Task ReadAsync(long handedOver)
    {
        ChannelSnapshot snapshot;
        try
        {
            await engine.Bus.SettleAsync(name, rules).ConfigureAwait(false);
            snapshot = rules.History == 0 ? NoHistory : await engine.LogOf(rules).ReadChannelAsync(name, _ring.Capacity, CancellationToken.None).ConfigureAwait(false);
        }
        catch
        {
            lock (_lock)
            {
                _state = State.Unread;
                _arrived = [];
            }

            throw;
        }

        lock (_lock)
        {
            _top = new Position(snapshot.Epoch, snapshot.LastOffset);
            _trimmedThrough = snapshot.TrimmedThrough;
            _listener?.MissedSome();
            if (engine.Fanout.FeedsFollowChannels && rules.Durable) TakeRecent(snapshot, handedOver);
            else foreach (var publication in snapshot.Recent) _ring.Add(publication);
            ApplyArrived([]);
        }
    }

    /// <summary>Takes a channel's newest events of which its feeds have not got all yet.</summary>
    private void TakeRecent(ChannelSnapshot snapshot, long handedOver)
    {
        if (snapshot.Recent is [var oldest, ..] && oldest.Sequence > handedOver && oldest.Position.Offset > snapshot.TrimmedThrough + 1) CutFeeds();
        foreach (var publication in snapshot.Recent)
        {
            var taken = publication.After(engine.Fanout.Applied);
            _ring.Add(taken);
            if (taken.Sequence > handedOver) HandFromLog(taken, ReaderScope.Feeds);
        }
    }

    private async Task RepairAsync(int repair)
    {
        // Transactions that end together tell of it in any order; the one that is missing is usually on its way.
        if (engine.Fanout.FeedsFollowChannels) await Task.Delay(Patience, engine.Clock).ConfigureAwait(false);

        Position top;
        lock (_lock)
        {
            if (_state != State.Repairing || _repair != repair) return;
            top = _top;
            engine.Metrics.CountGap();
        }

        var missing = await engine.LogOf(rules).ReadSinceAsync(name, top.Offset, rules.History + ArrivedLimit, CancellationToken.None).ConfigureAwait(false);
        lock (_lock) ApplyArrived(missing);
    }

    private void ApplyArrived(IReadOnlyList<Publication> missing)
    {
        var arrived = _arrived;
        _arrived = [];
        _state = State.Ready;
        foreach (var publication in missing.Concat(arrived.OrderBy(static publication => publication.Position.Offset)))
        {
            if (IsKnown(publication)) continue;
            Advance(publication, engine.Fanout.FeedsFollowChannels && publication.Sequence != 0 ? ReaderScope.Direct | ReaderScope.Feeds : ReaderScope.Direct);
        }

        if (_beginsAnew) Forget();
    }

    /// <summary>What was missing has come by itself: goes on with what had run ahead of it, and needs no repair if that is all.</summary>
    private void AdvanceArrived()
    {
        _arrived.RemoveAll(publication => publication.Position.Epoch == _top.Epoch && publication.Position.Offset <= _top.Offset);
        while (_arrived.Find(publication => IsNext(publication.Position)) is { } next)
        {
            _arrived.Remove(next);
            Advance(next, ReaderScope.Direct | ReaderScope.Feeds);
        }

        if (_arrived.Count == 0) _state = State.Ready;
        if (_state == State.Ready && _beginsAnew) Forget();
    }

    private void Forget()
    {
        (_state, _beginsAnew) = (State.Unread, false);
        _ring.Clear();
        foreach (var shard in engine.Shards) shard.Post(() => CutOn(shard));
    }

    private bool IsNext(Position position) =>
        position == _top with { Offset = _top.Offset + 1 }
        || (Mutants.Active == Mutant.AcceptGaps && position.Epoch == _top.Epoch && position.Offset > _top.Offset);

    private bool IsKnown(Publication publication) =>
        _state == State.Ready && publication.Position.Epoch == _top.Epoch && publication.Position.Offset <= _top.Offset;

    private void Advance(Publication publication, ReaderScope scope)
    {
        // What the log could not fill is a hole: the ring starts anew behind it, and each reader is cut and told when it comes back.
        var isHole = publication.Position != _top with { Offset = _top.Offset + 1 };
        if (isHole) _ring.Clear();
        if (isHole) _listener?.MissedSome();
        _listener?.Hear(publication);
        _top = publication.Position;
        if (!engine.Fanout.FeedsFollowChannels || !scope.HasFlag(ReaderScope.Feeds))
        {
            _ring.Add(publication);
            Hand(publication, scope);
            return;
        }

        if (isHole) CutFeeds();
        publication = publication.After(engine.Fanout.Applied);
        _ring.Add(publication);
        HandFromLog(publication, scope);
    }

    private void HandFromLog(Publication publication, ReaderScope scope)
    {
        Hand(publication, scope);
        engine.Fanout.Remember(publication);
    }

    /// <summary>Feeds can't see a channel's hole, so their readers are sent away before anything newer reaches them, and recover.</summary>
    private void CutFeeds()
    {
        foreach (var shard in engine.Shards)
        {
            if (_readerCounts[shard.Index] == 0) continue;
            shard.Post(() =>
            {
                foreach (var link in _readers[shard.Index]?.Feeds.ToArray() ?? []) link.Feed.Cut();
            });
        }
    }

    private void Hand(Publication publication, ReaderScope scope)
    {
        if (scope.HasFlag(ReaderScope.Feeds)) ReserveForFeeds(publication.Draft.Effect);
        for (var shard = 0; shard < _readerCounts.Length; shard++)
            if (_readerCounts[shard] > 0) engine.Shards[shard].Deliver(this, publication, scope);
    }

    private ChannelReaders ReadersOn(Shard shard) => _readers[shard.Index] ??= new ChannelReaders();

    private sealed class ChannelReaders
    {
        public List<Subscription> Direct { get; } = [];

        public List<FeedLink> Feeds { get; } = [];
    }
}

/// <summary>How a new reader gets from its position to live events.</summary>
internal enum CatchUpKind
{
    /// <summary>It named no position, or the channel has no history.</summary>
    LiveOnly,

    /// <summary>What it missed is at hand.</summary>
    Replay,

    /// <summary>What it missed must be read from the log.</summary>
    ReadLog,

    /// <summary>What it missed is gone.</summary>
    Lost,
}

/// <summary>How a new reader gets from its position to live events.</summary>
/// <param name="Kind">In which way.</param>
/// <param name="Top">Where the channel stands; events after it are delivered live.</param>
/// <param name="Missed">With <see cref="CatchUpKind.Replay"/>: what to replay.</param>
internal sealed record CatchUp(CatchUpKind Kind, Position Top, IReadOnlyList<Publication>? Missed);
