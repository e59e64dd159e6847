using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Pusher;

/// <summary>The event that a cache channel gives to who comes later: the last that was published, if it is not too old.</summary>
internal static class LastEvent
{
    /// <summary>How many of the newest events are looked through.</summary>
    private const int Newest = 20;

    /// <summary>How long it is kept.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    /// <summary>Reads it.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="channel">The channel.</param>
    /// <param name="upTo">A place: what came after it comes live. Null for the newest of all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<Publication?> ReadAsync(RealtimeEngine engine, ChannelName channel, Position? upTo, CancellationToken cancellationToken)
    {
        var page = await engine.ReadHistoryAsync(channel, null, Newest, NoRights.Instance, cancellationToken);
        return page.Events.LastOrDefault(publication =>
            (upTo is not { } place || (publication.Position.Epoch == place.Epoch && publication.Position.Offset <= place.Offset))
            && !publication.IsTombstone && engine.Clock.GetUtcNow() - publication.Draft.Timestamp < Lifetime);
    }
}
