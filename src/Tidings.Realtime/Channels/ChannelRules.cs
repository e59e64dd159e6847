namespace Tidings.Realtime.Channels;

/// <summary>Who may subscribe to the channels of a kind, before the host's own rules are asked.</summary>
public enum AccessRule
{
    /// <summary>The host's <see cref="Connections.IChannelAuthorizer"/> decides by rules of its own for this kind.</summary>
    Custom,

    /// <summary>Everybody, signed in or not.</summary>
    Public,

    /// <summary>Every signed-in user.</summary>
    SignedIn,

    /// <summary>The user whose id is the channel's id.</summary>
    Owner,

    /// <summary>Whoever shows a subscription token for the channel.</summary>
    Token,

    /// <summary>Whom the host app lets in, which the host's <see cref="Connections.IChannelAuthorizer"/> asks over HTTP.</summary>
    Webhook,
}

/// <summary>What happens to a reader that does not keep up.</summary>
public enum SlowReaderPolicy
{
    /// <summary>Its connection is cut with a code that means "reconnect and resume".</summary>
    Cut,

    /// <summary>The oldest waiting events are dropped. Only for channels without history.</summary>
    DropOldest,

    /// <summary>Only the latest event is kept. Only for channels without history.</summary>
    Latest,
}

/// <summary>Whether channels know who is in them.</summary>
public enum PresenceRule
{
    /// <summary>They do not.</summary>
    None,

    /// <summary>A subscriber who asks for it is a visible member and hears of the others.</summary>
    OnRequest,

    /// <summary>Every signed-in subscriber is and does, unless it asks not to.</summary>
    Always,
}

/// <summary>The rules of one kind of channel.</summary>
public sealed record ChannelRules
{
    /// <summary>Who may subscribe.</summary>
    public AccessRule Access { get; init; } = AccessRule.Custom;

    /// <summary>How many events the history keeps; 0 means that the channel has none and its events have no position.</summary>
    public int History { get; init; } = 100;

    /// <summary>How long the history keeps an event.</summary>
    public TimeSpan HistoryAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Whether the history is in the durable log; otherwise it is in this node's memory and has this node's epoch.</summary>
    internal bool Durable { get; init; }

    /// <summary>Whether the channel knows who is in it.</summary>
    public PresenceRule Presence { get; init; }

    /// <summary>Whether clients may publish to it.</summary>
    public bool ClientPublish { get; init; }

    /// <summary>Whether signed-in subscribers may say that they are typing. Where <see cref="ClientPublish"/> is set they may in any case.</summary>
    public bool Typing { get; init; }

    /// <summary>What a slow reader experiences.</summary>
    public SlowReaderPolicy SlowReader { get; init; } = SlowReaderPolicy.Cut;

    /// <summary>
    /// Whether the channels of this kind are feeds: expansions over other channels, whose positions are places in the whole durable
    /// log. Their sources come from <see cref="Feeds.IFeedSources"/>.
    /// </summary>
    internal bool IsFeed { get; init; }

    /// <summary>Whether these channels are between nodes: nobody outside can name them.</summary>
    internal bool IsInternal { get; init; }

    /// <summary>Whether every event of these channels has its payload's fields beside <c>type</c> and <c>id</c> instead of under <c>data</c>.</summary>
    internal bool FlatEvents { get; init; }
}
