using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.History;

/// <summary>What a log knows of a channel, read at one moment.</summary>
/// <param name="Epoch">The epoch of its positions; never 0, and stable for a channel that has no event yet.</param>
/// <param name="LastOffset">The offset of its newest event; 0 if it has none.</param>
/// <param name="TrimmedThrough">The offset of the newest event that the history gave up; 0 if none.</param>
/// <param name="Recent">Its newest events in order, at most as many as asked for.</param>
internal sealed record ChannelSnapshot(ulong Epoch, long LastOffset, long TrimmedThrough, IReadOnlyList<Publication> Recent);

/// <summary>The events of a feed after a place in the log.</summary>
/// <param name="Events">In the order of the log.</param>
/// <param name="IsTrimmed">Whether a source gave up events past that place.</param>
/// <param name="HasMore">Whether there are more than asked for.</param>
internal sealed record FeedPage(IReadOnlyList<Publication> Events, bool IsTrimmed, bool HasMore)
{
    /// <summary>Whether these are all events after that place.</summary>
    public bool IsComplete => !IsTrimmed && !HasMore;
}

/// <summary>
/// The log of publications: outbox, history and truth in one. It is the only place that gives out positions: an append adds one to
/// the channel's last offset, so offsets have no holes. All members are safe for all threads and throw when the store is out of reach.
/// </summary>
internal interface IEventLog
{
    /// <summary>
    /// Appends publications of a publisher that has no transaction of its own, all or none, and returns them with their positions, in
    /// the order given. A durable log completes only when they are on disk.
    /// </summary>
    ValueTask<IReadOnlyList<Publication>> AppendAsync(IReadOnlyList<PublicationDraft> drafts, CancellationToken cancellationToken);

    /// <summary>Reads where a channel stands, with its newest <paramref name="recent"/> events.</summary>
    ValueTask<ChannelSnapshot> ReadChannelAsync(ChannelName channel, int recent, CancellationToken cancellationToken);

    /// <summary>Reads the events after an offset, in order, at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<Publication>> ReadSinceAsync(ChannelName channel, long offset, int limit, CancellationToken cancellationToken);

    /// <summary>Gives up events beyond the limits of their channels' rules.</summary>
    /// <returns>How many were given up.</returns>
    ValueTask<int> TrimAsync(CancellationToken cancellationToken);
}

/// <summary>
/// A log that survives the process. It gives each event a place in the whole log, which never falls within a channel; of a place it is known
/// that everything up to it is there.
/// </summary>
internal interface IDurableEventLog : IEventLog
{
    /// <summary>The epoch of places in the whole log, as feeds use them.</summary>
    ulong SequenceEpoch { get; }

    /// <summary>Reads the place up to which everything is there: that of the newest event, if the log has one order.</summary>
    ValueTask<long> ReadLastSequenceAsync(CancellationToken cancellationToken);

    /// <summary>Reads what the sources of a feed had after a place, at most <paramref name="limit"/> events.</summary>
    ValueTask<FeedPage> ReadFeedSinceAsync(IReadOnlyList<FeedSource> sources, long sequence, int limit, CancellationToken cancellationToken);

    /// <summary>Reads all channels' events after a place, in the order of the log, at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<Publication>> ReadAllSinceAsync(long sequence, int limit, CancellationToken cancellationToken);
}

/// <summary>What a log without one order looked like at one moment.</summary>
/// <param name="CompleteThrough">Every event up to this place that will ever be had been committed.</param>
/// <param name="Snapshot">Which transactions had ended; for the log itself.</param>
internal sealed record LogMark(long CompleteThrough, string Snapshot);

/// <summary>
/// A durable log to which several transactions append at once. They get their places before they end, and end in any order: so places
/// have holes, an event may appear below ones that are there already, and events are ordered only within their channel.
/// </summary>
internal interface IConcurrentEventLog : IDurableEventLog
{
    /// <summary>
    /// Hands over what was committed after an earlier look, each event once, those of a channel in the order of their offsets. What it
    /// hands over of one look is all or, if it throws, to be asked for again.
    /// </summary>
    /// <param name="since">The mark of that look; null only looks.</param>
    /// <param name="take">Called with each event.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    ValueTask<LogMark> ReadChangesAsync(LogMark? since, Action<Publication> take, CancellationToken cancellationToken);
}
