using Microsoft.Extensions.Logging;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Fanout;

/// <summary>
/// For a log with one order: its publications are applied in that order, once each; one that runs ahead waits until what is between has
/// been read.
/// </summary>
internal sealed partial class SequencedFanout(RealtimeEngine engine, ILogger logger) : Fanout
{
    private const int ReadLimit = 1_000;
    private const int AheadLimit = 10_000;

    private readonly Lock _lock = new();
    private readonly RecentEvents _recent = new(engine.Options);
    private readonly SortedDictionary<long, Publication> _ahead = [];
    private long _applied = -1;
    private bool _isReading;

    /// <inheritdoc />
    public override Position Applied => new(engine.DurableLog.SequenceEpoch, Math.Max(0, Interlocked.Read(ref _applied)));

    /// <inheritdoc />
    public override Position HandedOver
    {
        get
        {
            lock (_lock) return Applied;
        }
    }

    /// <inheritdoc />
    public override bool FeedsFollowChannels => false;

    /// <summary>Finds out where the log stands and takes its newest events into memory. Publications that arrive before wait.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var last = await engine.DurableLog.ReadLastSequenceAsync(cancellationToken).ConfigureAwait(false);
        var recentSince = Math.Max(0, last - engine.Options.RecentEvents);
        var recent = await engine.DurableLog.ReadAllSinceAsync(recentSince, engine.Options.RecentEvents, cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            var following = -1L;
            _recent.Restart(last);
            foreach (var publication in recent.TakeWhile(publication => publication.Sequence <= last))
            {
                // Behind an event that was trimmed, memory would not know what is missing.
                if (publication.Sequence != following) _recent.Restart(publication.Sequence - 1);
                _recent.Add(publication);
                following = publication.Sequence + 1;
            }

            if (following != last + 1) _recent.Restart(last);

            Interlocked.Exchange(ref _applied, last);
            ApplyAhead();
        }
    }

    /// <inheritdoc />
    public override void Receive(IReadOnlyList<Publication> publications)
    {
        foreach (var publication in publications)
        {
            if (publication.Sequence == 0)
            {
                engine.Channels.Find(publication.Channel)?.Apply(publication);
                continue;
            }

            lock (_lock)
            {
                if (_applied < 0 || publication.Sequence > _applied + 1)
                {
                    if (_ahead.Count < AheadLimit) _ahead.TryAdd(publication.Sequence, publication); // the log has the rest
                }
                else if (publication.Sequence == _applied + 1)
                {
                    Apply(publication);
                }
            }
        }

        lock (_lock) ApplyAhead();
    }

    /// <inheritdoc />
    public override Task CatchUpAsync() => Task.CompletedTask; // the sequence itself tells what is missing

    /// <inheritdoc />
    public override IReadOnlyList<Publication>? RecentSince(Position since, Position top, Func<Publication, bool> belongs)
    {
        lock (_lock)
        {
            if (since.Offset < _recent.Since || since.Offset > _applied) return null;
            if (since.Offset == _applied) return [];
            return [.. _recent.All.Where(publication => publication.Sequence > since.Offset && publication.Sequence <= top.Offset && belongs(publication))];
        }
    }

    /// <inheritdoc />
    public override Position? PlaceAt(DateTimeOffset moment)
    {
        var top = Applied;
        lock (_lock) return _recent.PlaceAt(moment, top.Offset) is { } place ? top with { Offset = place } : null;
    }

    /// <inheritdoc />
    public override IReadOnlyList<Publication>? MissedOf(FeedPage page, Position top)
    {
        if (page.IsTrimmed || (page.HasMore && page.Events[^1].Sequence < top.Offset)) return null;
        return [.. page.Events.TakeWhile(publication => publication.Sequence <= top.Offset)]; // what comes after is delivered live, by the sources as they are then
    }

    /// <inheritdoc />
    public override void Rewrite(Action<Publication> rewrite)
    {
        lock (_lock)
        {
            foreach (var publication in _recent.All) rewrite(publication);
            foreach (var publication in _ahead.Values) rewrite(publication);
        }
    }

    private void Apply(Publication publication)
    {
        if (publication.Sequence != _applied + 1) PassOver(publication.Sequence - 1);
        _recent.Add(publication);
        Interlocked.Exchange(ref _applied, publication.Sequence);
        engine.Channels.Find(publication.Channel)?.Apply(publication);
    }

    /// <summary>
    /// What the log itself gave up before it came here. A channel's readers see the hole by their offsets; feeds can't, so theirs are
    /// cut before anything newer reaches them, and are told when they come back.
    /// </summary>
    private void PassOver(long through)
    {
        _recent.Restart(through);
        foreach (var shard in engine.Shards)
        {
            shard.Post(() =>
            {
                foreach (var feed in shard.Feeds.Values) feed.Cut();
            });
        }
    }

    private void ApplyAhead()
    {
        if (_applied < 0) return;
        while (_ahead.Count > 0)
        {
            var (sequence, publication) = _ahead.First();
            if (sequence > _applied + 1)
            {
                if (_isReading) return;
                _isReading = true;
                var after = _applied;
                _ = engine.Scheduler.RunAsync(() => FillGapAsync(after)); // not here: a log may hold a lock of its own while it hands over
                return;
            }

            _ahead.Remove(sequence);
            if (sequence == _applied + 1) Apply(publication);
        }
    }

    private async Task FillGapAsync(long after)
    {
        IReadOnlyList<Publication> missing = [];
        try
        {
            missing = await engine.DurableLog.ReadAllSinceAsync(after, ReadLimit, CancellationToken.None).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The next arrival, at the latest the next sweep, tries again.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.GapNotRead(logger, after, exception);
        }

        lock (_lock)
        {
            _isReading = false;
            if (missing.Count == 0) return;

            foreach (var publication in missing)
                if (publication.Sequence > _applied) Apply(publication);
            ApplyAhead();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1002, LogLevel.Error, "What the log has after {Sequence} could not be read.")]
        public static partial void GapNotRead(ILogger logger, long sequence, Exception exception);
    }
}
