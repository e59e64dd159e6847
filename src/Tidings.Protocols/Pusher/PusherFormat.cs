using Tidings.Protocols.Native;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Pusher;

/// <summary>Pusher Channels over WebSocket: one JSON object in one text frame.</summary>
internal sealed class PusherFormat(ChannelCatalog catalog) : IWireFormat
{
    /// <inheritdoc />
    public int Slot => FormatSlots.Pusher;

    /// <inheritdoc />
    public string Name => "pusher";

    /// <inheritdoc />
    public ReadOnlyMemory<byte> Heartbeat => FrameWriter.Ping;

    /// <inheritdoc />
    public bool ExpectsAnswer => true;

    /// <inheritdoc />
    public bool TellsNoPlace => true;

    /// <inheritdoc />
    public EncodedPush EncodePush(Publication publication, PublicationForm form) => new PusherPush(catalog, publication, form);

    /// <inheritdoc />
    public void WritePush(Connection connection, Subscription subscription, Publication publication, EncodedPush push)
    {
        var (channel, bytes) = ((PusherChannel)subscription.State!, (PusherPush)push);
        if (!channel.IsHeld) Write(connection, subscription, channel, bytes);
        else if (!channel.TryHold(publication, bytes, connection.Engine.Options.HeldEvents)) connection.Close(CloseReason.TooSlow);
    }

    /// <inheritdoc />
    public void WriteMessage(Connection connection, ServerMessage message)
    {
        var state = (PusherState)connection.ProtocolState!;
        switch (message)
        {
            case PongFrame pong:
                connection.Queue(pong.Frame);
                break;

            case PusherReply reply:
                connection.Queue(reply.Frame);
                break;

            case ConnectedMessage connected:
                connection.Queue(PusherJson.Established(connected.ConnectionId, state.ActivityTimeout));
                break;

            case SubscribedMessage subscribed when connection.SubscriptionTo(subscribed.Channel)?.State is PusherChannel channel:
                state.Spellings[subscribed.Channel] = channel.Name.Text;
                channel.Subscribed(connection, subscribed.Position);
                break;

            case UnsubscribedMessage unsubscribed:
                if (!state.Spellings.Remove(unsubscribed.Channel, out var spelling) || unsubscribed.Reason is not { } reason) break;
                if (PusherName.IsHostsWord(catalog, unsubscribed.Channel)) state.TakeAway(unsubscribed.Channel); // nobody but the signature is asked about it
                connection.Queue(PusherJson.SubscriptionError(spelling, "AuthError", reason, 403));
                break;

            case ErrorMessage error:
                WriteError(connection, state, error);
                break;
        }
    }

    /// <summary>Writes an event that may go out now. On the connection's shard.</summary>
    public static void Write(Connection connection, Subscription subscription, PusherChannel channel, PusherPush push)
    {
        if (push.IsSilent) return;
        if (subscription.IsFeed) push.ForFeeds.Queue(connection, subscription.Channel, channel.Spelling);
        else connection.Queue(push.FrameFor(channel.Spelling));
    }

    private static void WriteError(Connection connection, PusherState state, ErrorMessage error)
    {
        var isSubscribing = error.Id == PusherCommands.Subscribe;
        if (state.Asked is not { } asked)
        {
            connection.Queue(PusherJson.Error(null, error.Message));
            return;
        }

        var name = asked.Name.Text;
        connection.Queue(error.Code switch
        {
            ErrorCode.AlreadySubscribed => PusherJson.Error(null, $"Existing subscription to channel {name}"),
            ErrorCode.NotSubscribed => PusherJson.Error(null, $"No current subscription to channel {name}"),
            ErrorCode.Forbidden when isSubscribing => PusherJson.SubscriptionError(name, "AuthError", error.Message, 403),
            ErrorCode.TooManySubscriptions => PusherJson.SubscriptionError(name, "LimitReached", error.Message, 4004),
            _ when isSubscribing => PusherJson.SubscriptionError(name, "ServerError", error.Message, 500),
            _ => PusherJson.Error(null, error.Message),
        });
    }
}

/// <summary>The numbers that our commands have, so that an answer tells what it is to.</summary>
internal static class PusherCommands
{
    public const long Subscribe = 1;
    public const long Unsubscribe = 2;
    public const long Publish = 3;
}

/// <summary>A message of the protocol alone, on its way through the connection's one queue.</summary>
internal sealed record PusherReply(ReadOnlyMemory<byte> Frame) : ServerMessage;
