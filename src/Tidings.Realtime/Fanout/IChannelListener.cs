using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Fanout;

/// <summary>
/// The host's own reader of one internal channel, on every node: what nodes must know of each other's changes, in the order of the log and
/// behind the same repairs as everybody's events.
/// </summary>
internal interface IChannelListener
{
    /// <summary>The channel; of a kind that is internal (<see cref="ChannelRules.IsInternal"/>) and durable.</summary>
    ChannelName Channel { get; }

    /// <summary>
    /// Takes the channel's next publication, once each. Called under the channel's lock, before anything that was committed behind it is
    /// handed to readers where the log has one order; must not block.
    /// </summary>
    void Hear(Publication publication);

    /// <summary>Some publications may be missing before the next: what they told must be read from the database. Must not block.</summary>
    void MissedSome();
}
