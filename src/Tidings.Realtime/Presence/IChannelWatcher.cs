using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Presence;

/// <summary>
/// Hears of channels with Pusher's names: who comes and goes, and when the first reader has come and the last has gone. Of all nodes that share a
/// presence store one hears of each change. Called on any thread; must neither block nor throw.
/// </summary>
internal interface IChannelWatcher
{
    /// <summary>A user is in a channel from now on.</summary>
    void Joined(ChannelName channel, PresenceMember member);

    /// <summary>A user is in a channel no more, the grace for who comes back being over.</summary>
    void Left(ChannelName channel, PresenceMember member);

    /// <summary>A channel has readers from now on.</summary>
    void Occupied(string channel);

    /// <summary>A channel has no readers any more, the grace being over.</summary>
    void Vacated(string channel);
}
