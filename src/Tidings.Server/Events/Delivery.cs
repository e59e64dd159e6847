using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Events;

/// <summary>
/// One event in one channel, with exactly what that channel's readers may see. With two forms, <paramref name="Payload"/> is for every
/// reader and <paramref name="Full"/> for those who hold the right <paramref name="Needs"/>; both are named or neither is.
/// </summary>
/// <param name="Channel">Where it goes.</param>
/// <param name="Type">The event's name.</param>
/// <param name="Payload">What every reader of the channel may see.</param>
/// <param name="Full">What a reader with the right sees instead.</param>
/// <param name="Needs">The right.</param>
/// <param name="Effect">What it does to live subscriptions.</param>
internal sealed record Delivery(
    ChannelName Channel, string Type, EventPayload Payload, EventPayload? Full = null, string? Needs = null, ChannelEffect? Effect = null);
