using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Feeds;

/// <summary>One channel's place in one feed.</summary>
internal sealed class FeedLink(FeedNode feed, LiveChannel channel, long since)
{
    public FeedNode Feed => feed;

    public LiveChannel Channel => channel;

    /// <summary>A place in the whole log: what came before it does not belong in the feed.</summary>
    public long Since => since;

    /// <summary>The offset of the newest event that the feed got when it took the channel in; what came before it does not come again.</summary>
    public long Through { get; set; }

    /// <summary>Its index among the feeds that read the channel on this shard, kept so that leaving takes no search.</summary>
    public int ReaderIndex { get; set; }
}

/// <summary>
/// A user's feed while somebody reads it: one node between the channels that belong in it and that user's connections, all of which
/// are on one shard. Touched only there. The feed's own channel is read first, so that a change of its sources which is committed
/// while they are being read is not missed.
/// </summary>
internal sealed class FeedNode(ChannelName name, Shard shard, RealtimeEngine engine)
{
    private readonly List<Subscription> _readers = [];
    private readonly Dictionary<ChannelName, FeedLink> _links = [];   // people follow tens of thousands: no search may walk them
    private readonly List<FeedJoin> _waiting = [];
    private readonly List<(ChannelEffectKind Kind, ChannelName Target, long Sequence)> _changesWhileLoading = [];
    private State _state;

    private enum State
    {
        New,
        Loading,
        Ready,
        Ended,
    }

    /// <summary>How many connections read it.</summary>
    public int ReaderCount => _readers.Count;

    /// <summary>The feed's channel.</summary>
    public ChannelName Name => name;

    /// <summary>Takes a reader in. It is holding; its answer comes when the sources are known.</summary>
    public void Join(FeedJoin join)
    {
        _readers.Add(join.Subscription);
        if (_state == State.Ready)
        {
            CatchUp(join);
            return;
        }

        _waiting.Add(join);
        if (_state == State.Loading) return;

        _state = State.Loading;
        Link(name, 0);
        _ = LoadAsync();
    }

    /// <summary>Lets a reader go, and with the last one everything.</summary>
    public void Leave(Subscription subscription)
    {
        _readers.Remove(subscription);
        if (_readers.Count > 0) return;

        _state = State.Ended;
        foreach (var link in _links.Values) link.Channel.Leave(link, shard);
        foreach (var change in _changesWhileLoading)
            if (change.Kind == ChannelEffectKind.Attach) engine.Channels.Get(change.Target).Release(shard);
        _links.Clear();
        shard.Feeds.Remove(name);
        foreach (var join in _waiting) join.Done.TrySetResult();
        _waiting.Clear();
    }

    /// <summary>Passes a publication of one of the sources on.</summary>
    public void Deliver(Publication publication)
    {
        for (var index = _readers.Count - 1; index >= 0; index--) _readers[index].Deliver(publication);
    }

    /// <summary>Sends all readers away: they may have missed something, and learn of it when they resume.</summary>
    public void Cut()
    {
        foreach (var reader in _readers)
        {
            engine.Metrics.CountHole();
            reader.Connection.Close(CloseReason.GoingAway(RealtimeEngine.RetryDelay()));
        }
    }

    /// <summary>Takes a source in, for which a place on this shard has been reserved.</summary>
    public void AttachReserved(ChannelName target, long since)
    {
        if (_state == State.Loading) _changesWhileLoading.Add((ChannelEffectKind.Attach, target, since));
        else if (_links.ContainsKey(target)) engine.Channels.Get(target).Release(shard);
        else Attach(new FeedLink(this, engine.Channels.Get(target), since));
    }

    /// <summary>Gives a source up.</summary>
    public void Detach(ChannelName target)
    {
        if (_state == State.Loading)
        {
            _changesWhileLoading.Add((ChannelEffectKind.Detach, target, 0));
            return;
        }

        if (_links.Remove(target, out var link)) link.Channel.Leave(link, shard);
    }

    private void Attach(FeedLink link)
    {
        Add(link);

        // Without one order of the whole log, the source's next events may have come here before the event that takes the source in.
        foreach (var publication in engine.Fanout.HandedOutBy(link.Channel.Name, link.Since))
        {
            link.Through = publication.Position.Offset;
            Deliver(publication);
        }
    }

    private async Task LoadAsync()
    {
        IReadOnlyList<FeedSource>? sources = null;
        try
        {
            sources = await engine.FeedSources.ReadAsync(name, CancellationToken.None).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever went wrong, those who wait get an answer.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("reading the sources of a feed", exception);
        }

        shard.Post(() => Loaded(sources));
    }

    private void Loaded(IReadOnlyList<FeedSource>? sources)
    {
        if (_state == State.Ended) return;
        if (sources is null)
        {
            foreach (var join in _waiting.ToArray()) join.Fail(shard);
            return;
        }

        foreach (var source in sources)
            if (!_links.ContainsKey(source.Channel)) Link(source.Channel, source.Since);

        _state = State.Ready;
        foreach (var (kind, target, sequence) in _changesWhileLoading)
        {
            if (kind == ChannelEffectKind.Attach) AttachReserved(target, sequence);
            else Detach(target);
        }

        _changesWhileLoading.Clear();
        foreach (var join in _waiting) CatchUp(join);
        _waiting.Clear();
    }

    private void CatchUp(FeedJoin join)
    {
        var catchingUp = LookForMissedAsync(join);
        if (catchingUp.IsCompletedSuccessfully) CatchUpHere(join);
        else _ = CatchUpLaterAsync(join, catchingUp);
    }

    /// <summary>First what other nodes publish to the sources must arrive here; then what they published before is looked for.</summary>
    private Task LookForMissedAsync(FeedJoin join)
    {
        var settled = engine.Broker.SettledAsync();
        if (join.Since is null) return settled;
        return settled.IsCompletedSuccessfully ? engine.Fanout.CatchUpAsync() : LookAsync();

        async Task LookAsync()
        {
            await settled.ConfigureAwait(false);
            await engine.Fanout.CatchUpAsync().ConfigureAwait(false);
        }
    }

    private async Task CatchUpLaterAsync(FeedJoin join, Task catchingUp)
    {
        try
        {
            await catchingUp.ConfigureAwait(false);
            shard.Post(() => CatchUpHere(join));
        }
#pragma warning disable CA1031 // Whatever went wrong, the client is told that it was not recovered and refetches.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("looking for what a feed missed", exception);
            shard.Post(() => join.Finish(engine.Fanout.HandedOver, null));
        }
    }

    private void CatchUpHere(FeedJoin join)
    {
        // All sources hand their publications here by now, so whatever comes after this place is delivered live, and whatever is up
        // to it is in the log. What changed the sources up to it may still wait on this shard and must come first: otherwise a replay
        // would pass over a new source's events, which the reader would then take for old ones.
        var top = engine.Fanout.HandedOver;
        shard.Post(() => CatchUp(join, top));
    }

    private void CatchUp(FeedJoin join, Position top)
    {
        if (join.Subscription.HasEnded || join.Since is not { } since)
        {
            if (!join.Subscription.HasEnded) join.Subscription.Start(join.RequestId, top);
            join.Done.TrySetResult();
            return;
        }

        if (since.Epoch != top.Epoch)
        {
            join.Finish(top, null);
            return;
        }

        var recent = engine.Fanout.RecentSince(since, top, publication =>
            _links.TryGetValue(publication.Channel, out var link) && publication.Sequence > link.Since);
        if (recent is not null) join.Finish(top, recent);
        else _ = ReadMissedAsync(join, since, top, [.. _links.Values.Select(static link => new FeedSource(link.Channel.Name, link.Since))]);
    }

    private async Task ReadMissedAsync(FeedJoin join, Position since, Position top, FeedSource[] sources)
    {
        IReadOnlyList<Publication>? missed = null;
        try
        {
            // A place ahead of ours may be true: a page that was loaded from the database a moment before the event was carried here.
            if (since.Offset <= top.Offset || since.Offset <= await engine.DurableLog.ReadLastSequenceAsync(CancellationToken.None).ConfigureAwait(false))
            {
                var limit = engine.Catalog.RulesOf(name).History;
                var page = await engine.DurableLog.ReadFeedSinceAsync(sources, since.Offset, limit, CancellationToken.None).ConfigureAwait(false);
                missed = engine.Fanout.MissedOf(page, top);
            }
        }
#pragma warning disable CA1031 // Whatever went wrong, the client is told that it was not recovered and refetches.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            engine.LogFault("reading what a feed missed", exception);
        }

        shard.Post(() => join.Finish(top, missed));
    }

    private void Link(ChannelName target, long since) => Add(new FeedLink(this, engine.Channels.Reserve(target, shard.Index), since));

    private void Add(FeedLink link)
    {
        _links.Add(link.Channel.Name, link);
        link.Channel.Join(link, shard);
    }
}

/// <summary>A reader that waits to be let into a feed.</summary>
internal sealed record FeedJoin(Subscription Subscription, long? RequestId, Position? Since, TaskCompletionSource Done)
{
    /// <summary>Answers and replays; null means that what was missed can't be had.</summary>
    public void Finish(Position top, IReadOnlyList<Publication>? missed)
    {
        if (!Subscription.HasEnded) Subscription.Release(RequestId, Since ?? top, top, missed);
        Done.TrySetResult();
    }

    /// <summary>Answers that it could not be done.</summary>
    public void Fail(Shard shard)
    {
        shard.EndSubscription(Subscription);
        Subscription.Connection.Write(new ErrorMessage(RequestId, ErrorCode.Internal, "The feed cannot be read now.", Subscription.Channel.Value));
        Done.TrySetResult();
    }
}
