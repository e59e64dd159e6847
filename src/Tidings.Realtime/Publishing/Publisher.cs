using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Publishing;

/// <summary>Where publications enter the engine. Safe for all threads.</summary>
internal sealed class Publisher
{
    private readonly ChannelCatalog _catalog;
    private readonly IDurableEventLog _durable;
    private readonly MemoryEventLog _memory;
    private readonly IBroker _broker;
    private readonly RealtimeMetrics _metrics;

    internal Publisher(ChannelCatalog catalog, IDurableEventLog durable, TimeProvider clock, IBroker broker, RealtimeMetrics metrics)
    {
        _catalog = catalog;
        _durable = durable;
        _broker = broker;
        _metrics = metrics;
        OwnStreams = new OwnStreams(clock);
        _memory = new MemoryEventLog(catalog, clock, Carry, isSequenced: false, broker.HasOthers ? OwnStreams : null);
    }

    /// <summary>Counts what this node publishes to channels that are not durable.</summary>
    internal OwnStreams OwnStreams { get; }

    /// <summary>The log of the channels that are not durable.</summary>
    internal MemoryEventLog Memory => _memory;

    /// <summary>Gives up events of channels that are not durable beyond the limits of their channels' rules. Whoever owns the durable log trims that.</summary>
    /// <returns>How many were given up.</returns>
    public ValueTask<int> TrimMemoryAsync(CancellationToken cancellationToken) => _memory.TrimAsync(cancellationToken);

    /// <summary>
    /// Publishes for somebody who has no transaction of their own. In a durable channel it completes when the event is on disk; if it
    /// fails, whether the event was published is unknown, and repeating it with the same id is safe for those who receive it.
    /// </summary>
    public async ValueTask<Publication> PublishAsync(PublicationDraft draft, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(draft);
        var rules = _catalog.RulesOf(draft.Channel);
        if (rules.History == 0) return PublishPassing(draft);

        // The durable log hands what it has committed to Carry, as for everybody else's transaction.
        IEventLog log = rules.Durable ? _durable : _memory;
        var publications = await log.AppendAsync([draft], cancellationToken).ConfigureAwait(false);
        return publications[0];
    }

    /// <summary>Publishes an event that passes: it has no position and is in no history, whatever the channel.</summary>
    public Publication PublishPassing(PublicationDraft draft)
    {
        var publication = new Publication(draft);
        Carry([publication]);
        return publication;
    }

    /// <summary>Carries what the durable log has committed, in the log's order. Called by the log's owner, one call at a time.</summary>
    public void Carry(IReadOnlyList<Publication> publications)
    {
        ArgumentNullException.ThrowIfNull(publications);
        foreach (var publication in publications) _metrics.CountPublication(publication.Channel.IsForeign ? "foreign" : publication.Channel.Kind);
        _broker.Carry(publications);
    }
}
