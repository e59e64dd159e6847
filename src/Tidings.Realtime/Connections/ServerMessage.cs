using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Connections;

/// <summary>What the server says to one connection apart from publications. Wire formats turn it into bytes.</summary>
internal abstract record ServerMessage;

/// <summary>The connection is open and authenticated.</summary>
internal sealed record ConnectedMessage(string ConnectionId, string? UserId, TimeSpan Heartbeat, DateTimeOffset? ExpiresAt) : ServerMessage;

/// <summary>A subscription is there. The missed events follow, then live ones.</summary>
/// <param name="Id">The client's number of the request; null for a channel that the server attached by itself.</param>
/// <param name="Channel">The channel.</param>
/// <param name="Position">Where the channel stands; <see cref="Position.None"/> if it has no history.</param>
/// <param name="Recovered">Null if the client named no position; false if the history no longer reaches back to it.</param>
internal sealed record SubscribedMessage(long? Id, ChannelName Channel, Position Position, bool? Recovered) : ServerMessage;

/// <summary>A subscription ended: as asked, or with a <paramref name="Reason"/> by the server.</summary>
internal sealed record UnsubscribedMessage(long? Id, ChannelName Channel, string? Reason = null) : ServerMessage;

/// <summary>The client's publication was taken.</summary>
internal sealed record PublishedMessage(long Id) : ServerMessage;

/// <summary>Who is in a channel: as many members as one answer holds, and how many there are.</summary>
internal sealed record PresenceMessage(long Id, ChannelName Channel, IReadOnlyList<PresenceMember> Members, int Count) : ServerMessage;

/// <summary>One user in a channel, however many connections the user has.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Info">UTF-8 JSON text that every member may see; empty for none.</param>
public sealed record PresenceMember(string UserId, ReadOnlyMemory<byte> Info);

/// <summary>A page of history, in the form that the reader may see.</summary>
internal sealed record HistoryMessage(
    long Id, ChannelName Channel, IReadOnlyList<Publication> Events, IReaderRights Rights, Position Position, bool? Recovered) : ServerMessage;

/// <summary>A new token was taken.</summary>
internal sealed record AuthenticatedMessage(long? Id, DateTimeOffset? ExpiresAt) : ServerMessage;

/// <summary>The answer to a ping.</summary>
internal sealed record PongMessage(long Id, DateTimeOffset ServerTime) : ServerMessage;

/// <summary>The token ends soon: the client should send a new one.</summary>
internal sealed record TokenExpiringMessage(DateTimeOffset ExpiresAt) : ServerMessage;

/// <summary>A request failed. The connection stays.</summary>
internal sealed record ErrorMessage(long? Id, ErrorCode Code, string Message, string? Channel = null) : ServerMessage;

/// <summary>The closed list of error codes of docs/protocol.md.</summary>
internal enum ErrorCode
{
    /// <summary><c>bad_request</c>: the message or the channel's name is malformed.</summary>
    BadRequest,

    /// <summary><c>unknown_type</c>: no such message type.</summary>
    UnknownType,

    /// <summary><c>unknown_channel</c>: no such kind of channel.</summary>
    UnknownChannel,

    /// <summary><c>forbidden</c>: not for this user; never tells whether the thing exists.</summary>
    Forbidden,

    /// <summary><c>not_subscribed</c>: there is no such subscription on this connection.</summary>
    NotSubscribed,

    /// <summary><c>already_subscribed</c>: there is one already.</summary>
    AlreadySubscribed,

    /// <summary><c>too_many_subscriptions</c>: the connection's limit is reached.</summary>
    TooManySubscriptions,

    /// <summary><c>rate_limited</c>: too many messages.</summary>
    RateLimited,

    /// <summary><c>too_large</c>: the payload is over the limit.</summary>
    TooLarge,

    /// <summary><c>internal</c>: a fault of the server; no detail of it leaves the server.</summary>
    Internal,
}
