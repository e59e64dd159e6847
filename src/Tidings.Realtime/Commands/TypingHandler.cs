using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;

namespace Tidings.Realtime.Commands;

/// <summary>
/// Passes on that a user is typing. Who it is comes from the identity; what the client wrote beside it is not looked at. More than one
/// a second for a user and channel is answered as taken and dropped.
/// </summary>
internal static class TypingHandler
{
    public static async ValueTask HandleAsync(RealtimeEngine engine, Connection connection, PublishCommand command)
    {
        if (connection.Identity.UserId is not { } userId)
        {
            engine.Metrics.CountRefusal(Refusal.Forbidden);
            connection.Send(new ErrorMessage(command.Id, ErrorCode.Forbidden, "Sign in to be seen typing.", command.Channel.Value));
            return;
        }

        var home = engine.ShardOf(userId);
        var done = new TaskCompletionSource<bool>(engine.Scheduler.Completions);
        connection.Shard.Post(() =>
        {
            if (connection.SubscriptionTo(command.Channel) is null)
            {
                connection.Write(new ErrorMessage(command.Id, ErrorCode.NotSubscribed, "Subscribe to the channel before publishing to it.", command.Channel.Value));
                done.TrySetResult(false);
                return;
            }

            if (command.Id is { } id) connection.Write(new PublishedMessage(id));
            if (home == connection.Shard) Tell();
            else home.Post(Tell);
        });

        void Tell() => done.TrySetResult(home.Typing.TryTell(command.Channel, userId));

        if (await done.Task.ConfigureAwait(false))
            engine.Publisher.PublishPassing(PresenceEvents.OfTyping(command.Channel, userId, engine.Options.TypingShownFor, connection.Id, engine.Clock));
    }
}
