using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Fanout;

/// <summary>
/// Where publications arrive on this node, and what orders those of the durable log: its one sequence if it has one
/// (<see cref="SequencedFanout"/>), otherwise each channel's offsets (<see cref="ConcurrentFanout"/>). The newest stay in memory, so that a
/// storm of reconnects does not reach the database. Safe for all threads.
/// </summary>
internal abstract class Fanout
{
    /// <summary>
    /// The place in the whole log up to which publications have been handed to the shards, or are about to be: it moves before the
    /// channel is asked for its readers.
    /// </summary>
    public abstract Position Applied { get; }

    /// <summary>The place in the whole log up to which publications have been handed to the shards, behind what was posted to them before.</summary>
    public abstract Position HandedOver { get; }

    /// <summary>Whether feeds get an event when its channel advances to it, and not in the order of the whole log.</summary>
    public abstract bool FeedsFollowChannels { get; }

    /// <summary>Finds out where the log stands and takes its newest events into memory.</summary>
    public abstract Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Takes what the broker brings. Any thread.</summary>
    public abstract void Receive(IReadOnlyList<Publication> publications);

    /// <summary>
    /// Completes when everything that was committed before the call has been handed to the shards, whatever the broker lost. Throws when
    /// the log is out of reach.
    /// </summary>
    public abstract Task CatchUpAsync();

    /// <summary>What a feed's reader missed, from memory; null if that does not reach back so far.</summary>
    /// <param name="since">A place up to which the reader has everything.</param>
    /// <param name="top">Where this node stood when the reader was let in: what comes after it is delivered live, if that can be told.</param>
    /// <param name="belongs">Whether an event belongs in the feed.</param>
    public abstract IReadOnlyList<Publication>? RecentSince(Position since, Position top, Func<Publication, bool> belongs);

    /// <summary>
    /// A place in the whole log up to which there is nothing younger than a moment, as far as the events in memory tell; null if they do not
    /// reach back so far.
    /// </summary>
    public abstract Position? PlaceAt(DateTimeOffset moment);

    /// <summary>What a feed's reader missed, of a page of the log that begins behind what the reader has; null if the page is not enough.</summary>
    public abstract IReadOnlyList<Publication>? MissedOf(FeedPage page, Position top);

    /// <summary>Remembers an event that a channel has handed to its readers. Only called if <see cref="FeedsFollowChannels"/>.</summary>
    public virtual void Remember(Publication publication)
    {
    }

    /// <summary>Shows each event that is in memory to somebody who may rewrite it.</summary>
    public abstract void Rewrite(Action<Publication> rewrite);

    /// <summary>What a channel has handed out lately that came after a place; for a feed that takes the channel in only now.</summary>
    public virtual IReadOnlyList<Publication> HandedOutBy(ChannelName channel, long since) => [];
}
