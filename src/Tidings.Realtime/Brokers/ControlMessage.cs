using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Brokers;

/// <summary>
/// What a node tells all others besides publications. It may be lost, repeated and late: whatever must be true in the end is found by
/// others too, in the database.
/// </summary>
internal abstract record ControlMessage;

/// <summary>Close a user's connections.</summary>
/// <param name="UserId">The user.</param>
/// <param name="SessionId">Those of one sign-in, or null for all.</param>
/// <param name="Reason">What they are told: <see cref="CloseReason.InvalidToken"/> or <see cref="CloseReason.Disconnected"/>.</param>
/// <param name="IssuedThrough">Tokens that were issued up to this moment no longer count; null: they do.</param>
internal sealed record DisconnectUser(string UserId, string? SessionId, CloseReason Reason, DateTimeOffset? IssuedThrough) : ControlMessage;

/// <summary>End subscriptions to a channel.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="UserId">Whose; null: everybody's.</param>
/// <param name="RevokedAt">What was granted up to this moment no longer counts.</param>
internal sealed record RevokeChannel(ChannelName Channel, string? UserId, DateTimeOffset RevokedAt) : ControlMessage;

/// <summary>Read again what others see of a user, and whether the user wants to be seen online.</summary>
internal sealed record RereadMember(string UserId) : ControlMessage;

/// <summary>There is something in the log, up to a place at least. From brokers that carry no content of it.</summary>
internal sealed record NewInLog(ChannelName Channel, Position UpTo) : ControlMessage;

/// <summary>How far a node's own publications have come, in channels that are kept in memory.</summary>
internal sealed record StreamHeads(IReadOnlyList<StreamHead> Heads) : ControlMessage;

/// <summary>Every node is asked for its <see cref="StreamHeads"/>: the asker may have missed something.</summary>
internal sealed record AskForHeads : ControlMessage;

/// <summary>A node's newest publication of its own in a channel that is kept in memory.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Stream">The node's stream.</param>
/// <param name="Number">The publication's number in it.</param>
/// <param name="Age">How long ago it was published.</param>
internal readonly record struct StreamHead(ChannelName Channel, ulong Stream, long Number, TimeSpan Age);
