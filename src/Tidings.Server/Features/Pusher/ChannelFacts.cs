using System.Text.Json;
using Tidings.Protocols.Pusher;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Server.Scaleout;

namespace Tidings.Server.Features.Pusher;

/// <summary>
/// What the HTTP API tells of a channel. Members and subscriptions are those of all nodes that share a Redis. What does not apply to
/// the kind of channel is absent.
/// </summary>
internal sealed record ChannelFacts(PusherName Name, int? Users, int? Subscriptions)
{
    public const string UserCount = "user_count";
    public const string SubscriptionCount = "subscription_count";
    public const string Cache = "cache";

    /// <summary>Reads what is asked for.</summary>
    public static async Task<ChannelFacts> ReadAsync(
        RealtimeEngine engine, IReaderCounts readers, PusherName name, ChannelName channel, IReadOnlySet<string> info, CancellationToken cancellationToken) => new(
        name,
        name.IsPresence && info.Contains(UserCount) ? (await engine.ReadPresenceAsync(channel, cancellationToken)).Count : null,
        !name.IsPresence && info.Contains(SubscriptionCount) ? (await readers.CountAsync([channel], cancellationToken))[0] : null);

    /// <summary>Writes the fields that are known.</summary>
    public void WriteFields(Utf8JsonWriter json)
    {
        if (Users is { } users) json.WriteNumber(UserCount, users);
        if (Subscriptions is { } subscriptions) json.WriteNumber(SubscriptionCount, subscriptions);
    }
}
