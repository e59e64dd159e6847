using System.Text;
using Tidings.Protocols.Admission;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Pusher;

/// <summary>Takes the events that a client sends to the other readers of a channel. Nothing is answered unless something is wrong.</summary>
internal sealed class PusherSender(PusherContext shared, Connection connection)
{
    private const int OverRate = 4301;

    private readonly MessageRate _rate = new(ClientEvents.PerSecond, ClientEvents.PerSecond, shared.Engine.Clock);

    /// <summary>Deals with an event of a client.</summary>
    public async ValueTask SendAsync(PusherMessage message, CancellationToken cancellationToken)
    {
        if (!IsName(message.Event)) Refuse($"The name of a client event has 1 to {PusherMessage.MaxEvent} characters, of which the first are client-.");
        else if (!shared.App.TakesClientEvents) Refuse("This app takes no client events.");
        else if (message.Data.Length > ClientEvents.MaxData) Refuse($"The data of a client event may have at most {ClientEvents.MaxData} bytes.");
        else if (message.Channel is not { } text) Refuse("The client event names no channel.");
        else if (new PusherName(text) is not { IsSigned: true, IsEncrypted: false } name || name.Find(shared.Engine.Catalog, out var channel) != ChannelNameError.None)
            Refuse("Client events are for private and presence channels that are not encrypted.");
        else if (_rate.Take() != RateVerdict.Within) Reply(PusherJson.Error(OverRate, $"A connection may send {ClientEvents.PerSecond} client events a second."));
        else if (channel!.IsForeign) await PassOnAsync(name, channel, message);
        else await PublishAsync(name, channel, message, cancellationToken);
    }

    private static bool IsName(string name) =>
        name.Length is > 7 and <= PusherMessage.MaxEvent && !name.Any(char.IsControl);

    /// <summary>Who sends it is told by the membership, never by the message.</summary>
    private async ValueTask PassOnAsync(PusherName name, ChannelName channel, PusherMessage message)
    {
        var sender = new TaskCompletionSource<(bool IsSubscribed, string? UserId)>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Shard.Post(() =>
        {
            var subscription = connection.SubscriptionTo(channel);
            sender.TrySetResult((subscription is not null, subscription?.Member?.UserId));
        });
        var (isSubscribed, userId) = await sender.Task;
        if (!isSubscribed)
        {
            Refuse($"Cannot send a client event to {name.Text}: the connection is not subscribed to it.");
            return;
        }

        var now = shared.Engine.Clock.GetUtcNow();
        shared.Engine.Publisher.PublishPassing(new PublicationDraft
        {
            Channel = channel,
            Type = message.Event,
            Id = Guid.CreateVersion7(now).ToString("N"),
            Timestamp = now,
            Payload = ClientEvents.Wrap(userId, message.Data.Span),
            ExcludedConnectionId = connection.Id,
            ReceivedAt = shared.Engine.Clock.GetTimestamp(),
        });
        shared.Listener?.ClientEventSent(name.Text, message.Event, TextOf(message.Data.Span), connection.Id, userId);
    }

    /// <summary>To a channel of ours it goes as any client's event does, if its rules let clients publish.</summary>
    private async ValueTask PublishAsync(PusherName name, ChannelName channel, PusherMessage message, CancellationToken cancellationToken)
    {
        connection.Shard.Post(() => ((PusherState)connection.ProtocolState!).Asked = new PusherChannel(name, channel, waits: false));
        var data = message.Data.IsEmpty ? "null"u8.ToArray() : message.Data;
        await shared.Engine.HandleAsync(connection, new PublishCommand(PusherCommands.Publish, channel, message.Event, data), cancellationToken);
    }

    /// <summary>Text as it was meant; other JSON as its text.</summary>
    private static string TextOf(ReadOnlySpan<byte> json) =>
        json is [(byte)'"', ..] ? Native.JsonFields.TextOf(json) ?? "" : Encoding.UTF8.GetString(json);

    private void Refuse(string why) => Reply(PusherJson.Error(null, why));

    private void Reply(ReadOnlyMemory<byte> frame) => connection.Send(new PusherReply(frame));
}
