using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;

namespace Tidings.Realtime.Commands;

/// <summary>
/// Tells a signed-in subscriber who is in a channel. Subscribing is what has been checked, so a stranger learns nothing; whether the
/// subscriber is a member itself does not matter.
/// </summary>
internal static class PresenceHandler
{
    public static async ValueTask HandleAsync(RealtimeEngine engine, Connection connection, PresenceCommand command, CancellationToken cancellationToken)
    {
        if (engine.Catalog.RulesOf(command.Channel).Presence == PresenceRule.None || connection.Identity.UserId is not { } userId)
        {
            engine.Metrics.CountRefusal(Refusal.Forbidden);
            connection.Send(new ErrorMessage(command.Id, ErrorCode.Forbidden, "This channel does not tell you who is in it.", command.Channel.Value));
            return;
        }

        var reading = new TaskCompletionSource<Task>(engine.Scheduler.Completions);
        connection.Shard.Post(() =>
        {
            if (connection.SubscriptionTo(command.Channel) is null)
            {
                connection.Write(new ErrorMessage(command.Id, ErrorCode.NotSubscribed, "Subscribe to the channel to see who is in it.", command.Channel.Value));
                reading.TrySetResult(Task.CompletedTask);
                return;
            }

            // Who has just subscribed finds itself in the list.
            engine.Home.WhenSettled(connection, command.Channel, userId, () => reading.TrySetResult(AnswerAsync(engine, connection, command, cancellationToken)));
        });
        await (await reading.Task.WaitAsync(cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
    }

    /// <summary>Begins on the shard: a list that is at hand is answered before anything that happens after it was made.</summary>
    private static async Task AnswerAsync(RealtimeEngine engine, Connection connection, PresenceCommand command, CancellationToken cancellationToken)
    {
        var listing = engine.Members.ListAsync(command.Channel, cancellationToken);
        if (listing.IsCompletedSuccessfully) Answer(listing.Result);
        else
        {
            var list = await listing.ConfigureAwait(false);
            connection.Shard.Post(() => Answer(list));
        }

        void Answer(PresenceList list)
        {
            if (command.Id is { } id) connection.Write(new PresenceMessage(id, command.Channel, list.Members, list.Count));
        }
    }
}
