using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Commands;

/// <summary>What a client asks, whatever its protocol. <c>Id</c> is the client's own number; null means that it wants no answer but an error.</summary>
internal abstract record ClientCommand(long? Id);

/// <summary>Subscribe to a channel.</summary>
/// <param name="Id">The client's number.</param>
/// <param name="Channel">The channel.</param>
/// <param name="Since">The last position that the client saw; null for live events only.</param>
/// <param name="Presence">Whether to be a visible member; null takes the kind's default.</param>
/// <param name="Token">A subscription token.</param>
internal sealed record SubscribeCommand(long? Id, ChannelName Channel, Position? Since, bool? Presence, string? Token) : ClientCommand(Id)
{
    /// <summary>Whether the server subscribes by itself. A client that then subscribes with a position takes its place.</summary>
    public bool IsAttached { get; init; }

    /// <summary>Whom the others see in a channel of Pusher's names, as the host app has signed it; null: the connection's user.</summary>
    public PresenceMember? Member { get; init; }

    /// <summary>The wire format's own, which it finds in <see cref="Subscription.State"/>.</summary>
    public object? State { get; init; }
}

/// <summary>End a subscription.</summary>
internal sealed record UnsubscribeCommand(long? Id, ChannelName Channel) : ClientCommand(Id);

/// <summary>Publish to a channel, where its rules let clients.</summary>
internal sealed record PublishCommand(long? Id, ChannelName Channel, string Event, ReadOnlyMemory<byte> Data) : ClientCommand(Id);

/// <summary>Ask who is in a channel.</summary>
internal sealed record PresenceCommand(long? Id, ChannelName Channel) : ClientCommand(Id);

/// <summary>Ask for a page of history.</summary>
internal sealed record HistoryCommand(long? Id, ChannelName Channel, Position? Since, int Limit) : ClientCommand(Id);

/// <summary>Renew the token; it must be of the same user.</summary>
internal sealed record AuthenticateCommand(long? Id, string Token) : ClientCommand(Id);

/// <summary>Ask for a sign of life.</summary>
internal sealed record PingCommand(long? Id) : ClientCommand(Id);
