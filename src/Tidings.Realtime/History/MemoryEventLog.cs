using System.Buffers.Binary;
using System.Security.Cryptography;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.Publications;
using Tidings.Realtime.Publishing;

namespace Tidings.Realtime.History;

/// <summary>
/// A log in this process's memory: of channels that are not durable, and of hosts without a database. Its epochs are its own, so that
/// a position from another process is never mistaken for one of its own. One lock for all: an append is short. A channel whose events
/// are all gone keeps its last offset, until there are too many of those.
/// </summary>
internal sealed class MemoryEventLog : IDurableEventLog
{
    private const int ChannelLimit = 100_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<ChannelName, History> _channels = [];
    private readonly List<Publication> _all = [];
    private readonly ChannelCatalog _catalog;
    private readonly TimeProvider _clock;
    private readonly bool _isSequenced;
    private readonly OwnStreams? _streams;
    private readonly Action<IReadOnlyList<Publication>> _appended;
    private readonly ulong _salt = NewEpoch();
    private ulong _forgotten;
    private long _sequence;

    /// <summary>Makes an empty log.</summary>
    /// <param name="catalog">Says how much of each channel is kept.</param>
    /// <param name="clock">Tells the age of events.</param>
    /// <param name="appended">Called with what was appended, in order, before the next append.</param>
    /// <param name="isSequenced">Whether its events have a place in the whole log, so that they can be part of feeds.</param>
    /// <param name="streams">Numbers what is appended, for other nodes; null if there are none.</param>
    public MemoryEventLog(
        ChannelCatalog catalog, TimeProvider clock, Action<IReadOnlyList<Publication>> appended, bool isSequenced, OwnStreams? streams = null)
    {
        _streams = streams;
        _catalog = catalog;
        _clock = clock;
        _appended = appended;
        _isSequenced = isSequenced;
        SequenceEpoch = NewEpoch();
    }

    /// <inheritdoc />
    public ulong SequenceEpoch { get; }

    /// <inheritdoc />
    public ValueTask<IReadOnlyList<Publication>> AppendAsync(IReadOnlyList<PublicationDraft> drafts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(drafts);
        lock (_lock)
        {
            var publications = new Publication[drafts.Count];
            for (var index = 0; index < drafts.Count; index++) publications[index] = Append(drafts[index], _streams?.Next(drafts[index].Channel));
            _appended(publications);
            return ValueTask.FromResult<IReadOnlyList<Publication>>(publications);
        }
    }

    /// <summary>Appends what another node published, and hands it over before the next append. It is not carried on.</summary>
    public void Adopt(PublicationDraft draft, Action<IReadOnlyList<Publication>> deliver)
    {
        ArgumentNullException.ThrowIfNull(draft);
        lock (_lock) deliver([Append(draft, null)]);
    }

    /// <summary>
    /// Something is missing in a channel: what there is stays, but in a new epoch, so that nobody who comes with a position of before is
    /// told that nothing was missed.
    /// </summary>
    public void Renew(ChannelName channel)
    {
        lock (_lock)
        {
            var known = HistoryOf(channel);
            var renewed = new History(NewEpoch()) { LastOffset = known.LastOffset, TrimmedThrough = known.TrimmedThrough };
            foreach (var publication in known.Events)
                renewed.Events.Enqueue(new Publication(publication.Draft, publication.Position with { Epoch = renewed.Epoch }));
            _channels[channel] = renewed;
        }
    }

    /// <inheritdoc />
    public ValueTask<ChannelSnapshot> ReadChannelAsync(ChannelName channel, int recent, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult(_channels.TryGetValue(channel, out var history)
                ? new ChannelSnapshot(
                    history.Epoch, history.LastOffset, history.TrimmedThrough, [.. history.Events.Skip(Math.Max(0, history.Events.Count - recent))])
                : new ChannelSnapshot(EpochOf(channel), 0, 0, []));
        }
    }

    /// <inheritdoc />
    public ValueTask<IReadOnlyList<Publication>> ReadSinceAsync(ChannelName channel, long offset, int limit, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult<IReadOnlyList<Publication>>(
                _channels.TryGetValue(channel, out var history)
                    ? [.. history.Events.Where(publication => publication.Position.Offset > offset).Take(limit)]
                    : []);
        }
    }

    /// <inheritdoc />
    public ValueTask<long> ReadLastSequenceAsync(CancellationToken cancellationToken)
    {
        lock (_lock) return ValueTask.FromResult(_sequence);
    }

    /// <inheritdoc />
    public ValueTask<FeedPage> ReadFeedSinceAsync(IReadOnlyList<FeedSource> sources, long sequence, int limit, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var since = sources.ToDictionary(static source => source.Channel, source => Math.Max(source.Since, sequence));
            var isTrimmed = since.Any(source => _channels.TryGetValue(source.Key, out var history) && history.TrimmedSequence > source.Value);
            var events = _all.Where(publication => since.TryGetValue(publication.Channel, out var from) && publication.Sequence > from).Take(limit + 1).ToList();
            return ValueTask.FromResult(new FeedPage([.. events.Take(limit)], isTrimmed, HasMore: events.Count > limit));
        }
    }

    /// <inheritdoc />
    public ValueTask<IReadOnlyList<Publication>> ReadAllSinceAsync(long sequence, int limit, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return ValueTask.FromResult<IReadOnlyList<Publication>>([.. _all.Where(publication => publication.Sequence > sequence).Take(limit)]);
        }
    }

    /// <inheritdoc />
    public ValueTask<int> TrimAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var count = 0;
            var now = _clock.GetUtcNow();
            foreach (var (channel, history) in _channels)
            {
                var oldest = now - _catalog.RulesOf(channel).HistoryAge;
                while (history.Events.TryPeek(out var publication) && publication.Draft.Timestamp < oldest)
                {
                    GiveUpOldest(history);
                    count++;
                }
            }

            if (_channels.Count > ChannelLimit) ForgetEmptyChannels();
            return ValueTask.FromResult(count);
        }
    }

    private Publication Append(PublicationDraft draft, StreamPlace? stream)
    {
        var history = HistoryOf(draft.Channel);
        var publication = new Publication(
            draft,
            new Position(history.Epoch, ++history.LastOffset),
            _isSequenced ? new Position(SequenceEpoch, ++_sequence) : default)
        {
            Stream = stream,
        };

        history.Events.Enqueue(publication);
        if (_isSequenced) _all.Add(publication);
        while (history.Events.Count > _catalog.RulesOf(draft.Channel).History) GiveUpOldest(history);
        return publication;
    }

    private void GiveUpOldest(History history)
    {
        var publication = history.Events.Dequeue();
        history.TrimmedThrough = publication.Position.Offset;
        history.TrimmedSequence = publication.Sequence;
        if (_isSequenced) _all.Remove(publication);
    }

    private History HistoryOf(ChannelName channel)
    {
        if (!_channels.TryGetValue(channel, out var history)) _channels[channel] = history = new History(EpochOf(channel));
        return history;
    }

    private void ForgetEmptyChannels()
    {
        // Their next event starts a new epoch, which tells everyone who still has a position of the old one.
        _forgotten++;
        foreach (var (channel, history) in _channels)
            if (history.Events.Count == 0) _channels.Remove(channel);
    }

    /// <summary>The epoch of a channel that has had no event: the same each time, so that merely looking at a channel stores nothing.</summary>
    private ulong EpochOf(ChannelName channel) =>
        ((ulong)(uint)channel.GetHashCode() * 0x9E3779B97F4A7C15) ^ (_salt + _forgotten) | 1;

    private static ulong NewEpoch()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes) | 1;
    }

    private sealed class History(ulong epoch)
    {
        public ulong Epoch => epoch;

        public long LastOffset { get; set; }

        public long TrimmedThrough { get; set; }

        public long TrimmedSequence { get; set; }

        public Queue<Publication> Events { get; } = new();
    }
}
