using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Publications;

/// <summary>A publication that has no position yet: what a publisher hands in.</summary>
internal sealed record PublicationDraft
{
    /// <summary>Where it goes.</summary>
    public required ChannelName Channel { get; init; }

    /// <summary>The event's name.</summary>
    public required string Type { get; init; }

    /// <summary>Unique in its channel; clients apply an id at most once.</summary>
    public required string Id { get; init; }

    /// <summary>When it happened, UTC.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>
    /// What every reader of the channel may see, as UTF-8 JSON text on one line. An object if the event is flat
    /// (<see cref="ChannelCatalog.IsFlat"/>), then without the names that the engine writes: type, channel, position, id, timestamp.
    /// </summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>What a reader who holds <see cref="FullNeeds"/> sees instead; null when there is one form only.</summary>
    public ReadOnlyMemory<byte>? FullPayload { get; init; }

    /// <summary>The right that the full form takes; opaque to the engine. Null when there is one form only.</summary>
    public string? FullNeeds { get; init; }

    /// <summary>What the event does to live subscriptions besides being delivered.</summary>
    public ChannelEffect? Effect { get; init; }

    /// <summary>A connection that does not get this event live. A later replay may still bring it.</summary>
    public string? ExcludedConnectionId { get; init; }

    /// <summary>Whether it is only for subscriptions that asked for presence. Such events pass; they are never stored.</summary>
    public bool IsForMembers { get; init; }

    /// <summary>When the request that caused it was received, a timestamp of the engine's <see cref="TimeProvider"/>; 0 if unknown. Not stored.</summary>
    public long ReceivedAt { get; init; }
}
