using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Fanout;

/// <summary>
/// For a log without one order: each channel's offsets order its publications, and a feed gets them as its channels advance. Where the
/// node stands in the whole log moves only when it has looked for everything that was committed (<see cref="CatchUpAsync"/>), and everything
/// up to there has been handed to the shards; readers of feeds hold that place, and get what is after it again when they come back.
/// </summary>
internal sealed class ConcurrentFanout(RealtimeEngine engine, IConcurrentEventLog log) : Fanout
{
    private readonly Lock _lock = new();
    private readonly RecentEvents _recent = new(engine.Options);
    private readonly Lock _looks = new();
    private LogMark? _mark;
    private long _handedOver;
    private Task _look = Task.CompletedTask;
    private Task? _nextLook;

    /// <inheritdoc />
    public override Position Applied => new(log.SequenceEpoch, Interlocked.Read(ref _handedOver));

    /// <inheritdoc />
    public override Position HandedOver => Applied;

    /// <inheritdoc />
    public override bool FeedsFollowChannels => true;

    /// <inheritdoc />
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var mark = await log.ReadChangesAsync(null, static _ => { }, cancellationToken).ConfigureAwait(false);
        var since = Math.Max(0, mark.CompleteThrough - engine.Options.RecentEvents);
        lock (_lock) _recent.Restart(since);
        while (true)
        {
            var page = await log.ReadAllSinceAsync(since, engine.Options.RecentEvents, cancellationToken).ConfigureAwait(false);
            lock (_lock)
                foreach (var publication in page) _recent.Add(publication.After(PlaceBefore(publication, mark)));
            if (page.Count < engine.Options.RecentEvents) break;
            since = page[^1].Sequence;
        }

        Interlocked.Exchange(ref _handedOver, mark.CompleteThrough);
        _mark = mark;
    }

    /// <inheritdoc />
    public override void Receive(IReadOnlyList<Publication> publications)
    {
        // A channel that nobody reads here gets it from the log when somebody does.
        foreach (var publication in publications) engine.Channels.Find(publication.Channel)?.Apply(publication);
    }

    /// <summary>One look serves all who ask before it begins.</summary>
    public override Task CatchUpAsync()
    {
        lock (_looks)
        {
            if (_mark is null) return Task.CompletedTask; // not started: nobody reads yet
            if (_nextLook is not null) return engine.Scheduler.ForWaiter(_nextLook);
            if (_look.IsCompleted) return engine.Scheduler.ForWaiter(_look = engine.Scheduler.RunAsync(LookAsync));
            return engine.Scheduler.ForWaiter(_nextLook = engine.Scheduler.RunAsync(LookNextAsync));
        }
    }

    /// <inheritdoc />
    public override IReadOnlyList<Publication>? RecentSince(Position since, Position top, Func<Publication, bool> belongs)
    {
        lock (_lock)
        {
            if (since.Offset < _recent.Since || since.Offset > top.Offset) return null;

            // An event may be here twice: handed out by its channel, and found when nobody read that.
            return [.. _recent.All.Where(publication => publication.Sequence > since.Offset && belongs(publication)).DistinctBy(static publication => (publication.Channel, publication.Position))];
        }
    }

    /// <inheritdoc />
    public override Position? PlaceAt(DateTimeOffset moment)
    {
        var top = Applied;
        lock (_lock) return _recent.PlaceAt(moment, top.Offset) is { } place ? top with { Offset = place } : null;
    }

    /// <inheritdoc />
    public override IReadOnlyList<Publication>? MissedOf(FeedPage page, Position top) => page.IsComplete ? page.Events : null;

    /// <inheritdoc />
    public override void Rewrite(Action<Publication> rewrite)
    {
        lock (_lock)
            foreach (var publication in _recent.All) rewrite(publication);
    }

    /// <inheritdoc />
    public override void Remember(Publication publication)
    {
        lock (_lock) _recent.Add(publication);
    }

    /// <inheritdoc />
    public override IReadOnlyList<Publication> HandedOutBy(ChannelName channel, long since)
    {
        lock (_lock)
        {
            return
            [
                .. _recent.All.Where(publication => publication.Sequence > since && publication.Channel == channel)
                    .DistinctBy(static publication => publication.Position)
                    .OrderBy(static publication => publication.Position.Offset),
            ];
        }
    }

    /// <summary>What a reader holds who gets an event in the order of places.</summary>
    private Position PlaceBefore(Publication publication, LogMark mark) =>
        new(log.SequenceEpoch, Math.Min(publication.Sequence - 1, mark.CompleteThrough));

    private async Task LookNextAsync()
    {
        await _look.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Task next;
        lock (_looks)
        {
            next = _look = LookAsync();
            _nextLook = null;
        }

        await next.ConfigureAwait(false);
    }

    private async Task LookAsync()
    {
        var live = new HashSet<LiveChannel>();
        var mark = await log.ReadChangesAsync(_mark, publication => Take(publication, live), CancellationToken.None).ConfigureAwait(false);

        // What a channel still reads from the log for its readers has not been handed to them. If it fails, the next look takes the same again.
        foreach (var channel in live) await channel.SettledAsync().ConfigureAwait(false);
        Interlocked.Exchange(ref _handedOver, Math.Max(_handedOver, mark.CompleteThrough));
        _mark = mark;
    }

    private void Take(Publication publication, HashSet<LiveChannel> live)
    {
        if (TryApply(publication, live)) return;
        Remember(publication.After(Applied));
        TryApply(publication, live); // for somebody who has come to the channel meanwhile, and may not have found it in memory
    }

    private bool TryApply(Publication publication, HashSet<LiveChannel> live)
    {
        if (engine.Channels.Find(publication.Channel) is not { } channel || !channel.Apply(publication)) return false;
        live.Add(channel);
        return true;
    }
}
