using Microsoft.Extensions.Logging;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Fanout;

/// <summary>
/// Where publications arrive on this node. Those of the durable log are applied in the log's order, once each: one that runs ahead
/// waits until what is between has been read. The newest stay in memory, so that a storm of reconnects does not reach the database.
/// </summary>
internal sealed partial class Fanout(RealtimeEngine engine, ILogger logger)
{
    private const int ReadLimit = 1_000;
    private const int AheadLimit = 10_000;

    private readonly Lock _lock = new();
    private readonly Queue<Publication> _recent = new();
    private readonly SortedDictionary<long, Publication> _ahead = [];
    private long _applied = -1;
    private long _recentSince;
    private long _recentBytes;
    private bool _isReading;

    /// <summary>
    /// The place in the whole log up to which publications have been handed to the shards, or are about to be: it moves before the
    /// channel is asked for its readers.
    /// </summary>
    public Position Applied => new(engine.DurableLog.SequenceEpoch, Math.Max(0, Interlocked.Read(ref _applied)));

    /// <summary>The place in the whole log up to which publications have been handed to the shards, behind what was posted to them before.</summary>
    public Position HandedOver
    {
        get
        {
            lock (_lock) return Applied;
        }
    }

    /// <summary>Finds out where the log stands and takes its newest events into memory. Publications that arrive before wait.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var last = await engine.DurableLog.ReadLastSequenceAsync(cancellationToken).ConfigureAwait(false);
        var recentSince = Math.Max(0, last - engine.Options.RecentEvents);
        var recent = await engine.DurableLog.ReadAllSinceAsync(recentSince, engine.Options.RecentEvents, cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            var following = -1L;
            _recentSince = last;
            foreach (var publication in recent.TakeWhile(publication => publication.Sequence <= last))
            {
                // Behind an event that was trimmed, memory would not know what is missing.
                if (publication.Sequence != following)
                {
                    ForgetRecent(publication.Sequence - 1);
                }

                Remember(publication);
                following = publication.Sequence + 1;
            }

            if (following != last + 1) ForgetRecent(last);

            Interlocked.Exchange(ref _applied, last);
            ApplyAhead();
        }
    }

    /// <summary>Takes what the broker brings. Any thread.</summary>
    public void Receive(IReadOnlyList<Publication> publications)
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

    /// <summary>What came after a place and fulfils a condition, in order; null if memory does not reach back so far.</summary>
    public IReadOnlyList<Publication>? RecentSince(long sequence, Func<Publication, bool> belongs)
    {
        lock (_lock)
        {
            if (sequence < _recentSince || sequence > _applied) return null;
            if (sequence == _applied) return [];
            return [.. _recent.Where(publication => publication.Sequence > sequence && belongs(publication))];
        }
    }

    private void Apply(Publication publication)
    {
        if (publication.Sequence != _applied + 1) PassOver(publication.Sequence - 1);
        Remember(publication);
        Interlocked.Exchange(ref _applied, publication.Sequence);
        engine.Channels.Find(publication.Channel)?.Apply(publication);
    }

    /// <summary>
    /// What the log itself gave up before it came here. A channel's readers see the hole by their offsets; feeds can't, so theirs are
    /// cut before anything newer reaches them, and are told when they come back.
    /// </summary>
    private void PassOver(long through)
    {
        ForgetRecent(through);
        foreach (var shard in engine.Shards)
        {
            shard.Post(() =>
            {
                foreach (var feed in shard.Feeds.Values) feed.Cut();
            });
        }
    }

    private void Remember(Publication publication)
    {
        _recent.Enqueue(publication);
        _recentBytes += SizeOf(publication);
        while (_recent.Count > engine.Options.RecentEvents || _recentBytes > engine.Options.RecentBytes)
        {
            var oldest = _recent.Dequeue();
            _recentBytes -= SizeOf(oldest);
            _recentSince = oldest.Sequence;
        }
    }

    private void ForgetRecent(long through)
    {
        _recent.Clear();
        _recentBytes = 0;
        _recentSince = through;
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

    private static long SizeOf(Publication publication) => publication.Draft.Payload.Length + (publication.Draft.FullPayload?.Length ?? 0);

    private static partial class Log
    {
        [LoggerMessage(1002, LogLevel.Error, "What the log has after {Sequence} could not be read.")]
        public static partial void GapNotRead(ILogger logger, long sequence, Exception exception);
    }
}
