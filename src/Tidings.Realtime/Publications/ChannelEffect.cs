using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Publications;

/// <summary>What an event does to live subscriptions.</summary>
internal enum ChannelEffectKind
{
    /// <summary>The feed in whose channel the event stands takes in <see cref="ChannelEffect.Target"/> from here on.</summary>
    Attach = 1,

    /// <summary>The feed in whose channel the event stands gives up <see cref="ChannelEffect.Target"/>.</summary>
    Detach = 2,

    /// <summary>The channel ends: after this event its subscriptions are closed.</summary>
    Close = 3,
}

/// <summary>
/// A change of live subscriptions that travels with an event: in the same transaction, in the same order, through the same log and
/// broker. So a follow reaches a feed on every node exactly when the event that tells of it does.
/// </summary>
internal sealed record ChannelEffect(ChannelEffectKind Kind, ChannelName? Target = null);
