using Tidings.Realtime.Channels;

namespace Tidings.Realtime;

/// <summary>The engine's limits and times. Validated by the host at start.</summary>
public sealed record RealtimeOptions
{
    /// <summary>How long a connection may be silent before it is pinged.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>How much longer it may stay silent before it is closed.</summary>
    public TimeSpan PongTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a peer may take nothing of what is written to it before it is cut as too slow.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long we may be silent towards a client that can't answer, such as an event stream, before a sign of life is sent.</summary>
    public TimeSpan StreamHeartbeatInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a client has to authenticate.</summary>
    public TimeSpan AuthenticationTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long before its token expires a client is told.</summary>
    public TimeSpan ExpiryWarning { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long after its token expired a connection lives on: the clock skew that is forgiven.</summary>
    public TimeSpan ExpiryGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the last bytes and the close of a connection may take.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The most bytes that may wait for one connection.</summary>
    public int OutboundBytes { get; init; } = 1024 * 1024;

    /// <summary>The most bytes that may wait for all connections together.</summary>
    public long TotalOutboundBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>The most channels of one connection.</summary>
    public int SubscriptionsPerConnection { get; init; } = 200;

    /// <summary>The most connections of one user.</summary>
    public int ConnectionsPerUser { get; init; } = 20;

    /// <summary>The longest message of a client, in bytes.</summary>
    public int MessageBytes { get; init; } = 64 * 1024;

    /// <summary>How many messages a second a client may send over time.</summary>
    public int MessagesPerSecond { get; init; } = 50;

    /// <summary>How many it may send at once.</summary>
    public int MessageBurst { get; init; } = 100;

    /// <summary>The most events that wait for a subscription while it is being recovered.</summary>
    public int HeldEvents { get; init; } = 1_000;

    /// <summary>How many recent events an active channel keeps in memory to answer reconnects.</summary>
    public int RingEvents { get; init; } = 128;

    /// <summary>How many recent events of all durable channels this node keeps in memory to answer reconnects of feeds.</summary>
    public int RecentEvents { get; init; } = 4_096;

    /// <summary>How many bytes of payload these may have together; what is encoded of them comes on top.</summary>
    public long RecentBytes { get; init; } = 16L * 1024 * 1024;

    /// <summary>How many threads fan out. A connection belongs to one of them.</summary>
    public int Shards { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 16);

    /// <summary>How long a channel without readers keeps its ring.</summary>
    public TimeSpan ChannelLinger { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long after the last connection of a user has left a channel this is announced, unless the user comes back.</summary>
    public TimeSpan PresenceGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the members of a node that died without a word are still there.</summary>
    public TimeSpan PresenceLifetime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Up to how many members of a channel each coming and going is announced; above it one count a second is.</summary>
    public int AnnouncedMembers { get; init; } = 100;

    /// <summary>The most members in one answer.</summary>
    public int ListedMembers { get; init; } = 200;

    /// <summary>
    /// For how long a vanished connection is remembered of which the client can't say itself what it saw last (Pusher, older Socket.IO); who
    /// comes back as the same user within it gets what was missed. Zero remembers nothing.
    /// </summary>
    public TimeSpan ReturnWindow { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The channel whose members are the users with a live connection, whether or not they subscribe to it; null for none.</summary>
    public ChannelName? OnlineChannel { get; init; }

    /// <summary>How long others are to show that somebody is typing.</summary>
    public TimeSpan TypingShownFor { get; init; } = TimeSpan.FromSeconds(5);
}
