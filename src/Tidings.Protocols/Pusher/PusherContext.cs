using Microsoft.Extensions.Logging;
using Tidings.Realtime;

namespace Tidings.Protocols.Pusher;

/// <summary>What all sessions share.</summary>
internal sealed record PusherContext(
    RealtimeEngine Engine, PusherApp App, PusherFormat Format, PusherWatchlists Watchlists, IPusherListener? Listener, TimeSpan MessageTimeout, ILogger Logger);

/// <summary>Hears of what only the protocol knows, for webhooks. Must not block.</summary>
internal interface IPusherListener
{
    /// <summary>A client has sent an event to the others.</summary>
    void ClientEventSent(string channel, string name, string data, string socketId, string? userId);

    /// <summary>A client has come to a cache channel that has nothing to give.</summary>
    void CacheMissed(string channel);
}
