using Tidings.Realtime.Publications;
using Tidings.Server.Storage;

namespace Tidings.Server.Events;

/// <summary>Appends what happened to the event log, in the transaction of what happened.</summary>
internal static class EventAppending
{
    /// <summary>
    /// Appends the event's publications, one per row of <see cref="EventChannels"/>. A unit that is run again gives them new ids, which
    /// is right: those of the first run were never seen.
    /// </summary>
    public static ValueTask AppendAsync(this IWriteUnit write, DomainEvent happened)
    {
        ArgumentNullException.ThrowIfNull(write);
        ArgumentNullException.ThrowIfNull(happened);

        (EventPayload Payload, byte[] Bytes)? written = null; // the same payload in two channels is written once
        foreach (var delivery in EventChannels.For(happened))
        {
            if (written is not { } last || !ReferenceEquals(last.Payload, delivery.Payload))
                written = last = (delivery.Payload, EventJson.Write(delivery.Payload));
            write.Append(DraftOf(delivery, happened, last.Bytes));
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>The publication of one delivery.</summary>
    public static PublicationDraft DraftOf(Delivery delivery, DomainEvent happened, byte[] payload)
    {
        if (delivery.Full is null != delivery.Needs is null)
            throw new InvalidOperationException($"{delivery.Type} on {delivery.Channel} names a full form without a right, or a right without a full form.");

        return new PublicationDraft
        {
            Channel = delivery.Channel,
            Type = delivery.Type,
            Id = Guid.CreateVersion7(happened.At).ToString("N"),
            Timestamp = happened.At,
            Payload = payload,
            FullPayload = delivery.Full is { } full ? EventJson.Write(full) : default(ReadOnlyMemory<byte>?), // null bytes would be empty memory
            FullNeeds = delivery.Needs,
            Effect = delivery.Effect,
            ReceivedAt = happened.ReceivedAt,
        };
    }
}
