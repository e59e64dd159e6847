using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Commands;

/// <summary>Takes a client's own publication, where the channel's rules let clients publish and the client reads the channel itself.</summary>
internal static class PublishHandler
{
    private const int MaxEventLength = 128;

    public static async ValueTask HandleAsync(RealtimeEngine engine, Connection connection, PublishCommand command, CancellationToken cancellationToken)
    {
        var rules = engine.Catalog.RulesOf(command.Channel);
        if (command.Event == PresenceEvents.Typing && (rules.Typing || rules.ClientPublish))
        {
            await TypingHandler.HandleAsync(engine, connection, command).ConfigureAwait(false);
            return;
        }

        if (!rules.ClientPublish || engine.Catalog.IsReserved(command.Event))
        {
            Refuse(ErrorCode.Forbidden, "Clients may not publish this event to this channel.");
            return;
        }

        if (!IsEventName(command.Event))
        {
            Refuse(ErrorCode.BadRequest, "The event's name is not 1 to 128 printable ASCII characters without spaces.");
            return;
        }

        var payload = command.Data;
        if (engine.Catalog.IsFlat(command.Channel, command.Event))
        {
            if (!FlatPayload.TryMake(command.Data, out var fields))
            {
                Refuse(ErrorCode.BadRequest, "The data of an event on this channel is an object.");
                return;
            }

            payload = fields;
        }

        var isSubscribed = new TaskCompletionSource<bool>(engine.Scheduler.Completions);
        connection.Shard.Post(() => isSubscribed.TrySetResult(connection.SubscriptionTo(command.Channel) is not null));
        if (!await isSubscribed.Task.ConfigureAwait(false))
        {
            Refuse(ErrorCode.NotSubscribed, "Subscribe to the channel before publishing to it.");
            return;
        }

        await engine.Publisher.PublishAsync(
            new PublicationDraft
            {
                Channel = command.Channel,
                Type = command.Event,
                Id = Guid.CreateVersion7(engine.Clock.GetUtcNow()).ToString("N"),
                Timestamp = engine.Clock.GetUtcNow(),
                Payload = payload,
                ExcludedConnectionId = connection.Id,
                ReceivedAt = engine.Clock.GetTimestamp(),
            },
            cancellationToken).ConfigureAwait(false);
        if (command.Id is { } id) connection.Send(new PublishedMessage(id));

        void Refuse(ErrorCode code, string message)
        {
            if (code == ErrorCode.Forbidden) engine.Metrics.CountRefusal(Refusal.Forbidden);
            connection.Send(new ErrorMessage(command.Id, code, message, command.Channel.Value));
        }
    }

    private static bool IsEventName(string name) => name.Length is > 0 and <= MaxEventLength && name.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;
}
