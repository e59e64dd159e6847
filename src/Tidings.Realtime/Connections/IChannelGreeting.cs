using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Connections;

/// <summary>
/// What one connection is told right after it has subscribed, beside the channel's own events: the state that they change. It goes to that
/// connection alone, behind what it missed, and has no position; so events of the same moment may come before it.
/// </summary>
internal interface IChannelGreeting
{
    /// <summary>Whether subscribers of a channel are greeted. Must not block.</summary>
    bool Greets(ChannelName channel);

    /// <summary>Makes the greeting, for a reader who is subscribed already. Any thread; it may ask a database. Null for none.</summary>
    ValueTask<PublicationDraft?> MakeAsync(ClientIdentity identity, ChannelName channel, CancellationToken cancellationToken);
}
