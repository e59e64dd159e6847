using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Presence;

/// <summary>
/// Who is in which channel, on all nodes together. A user is in a channel once, however many nodes have put them there, and is gone
/// when the last of these has removed them or died. What a node has put lives as long as the node renews it. All members are safe for
/// all threads, each is atomic, and they throw when the store is out of reach.
/// </summary>
internal interface IPresenceStore
{
    /// <summary>
    /// Notes that a node has a user in a channel, and renews what the node has put before. Putting again changes nothing but the info.
    /// </summary>
    /// <param name="channel">The channel.</param>
    /// <param name="member">The user, with what others see.</param>
    /// <param name="node">The node, by a name that no process before or beside it has.</param>
    /// <param name="lifetime">How long it holds unless the node renews it.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>A change if the user was in the channel by no node.</returns>
    ValueTask<PresenceChange> PutAsync(
        ChannelName channel, PresenceMember member, string node, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>Notes that a node has a user in a channel no more. What is not there is no error.</summary>
    /// <returns>A change if the user is now in the channel by no node.</returns>
    ValueTask<PresenceChange> RemoveAsync(ChannelName channel, string userId, string node, CancellationToken cancellationToken);

    /// <summary>Lets all that a node has put live on.</summary>
    /// <returns>False if nothing of it is there: the node was taken for dead, or has put nothing. What it has must be put again.</returns>
    ValueTask<bool> RenewAsync(string node, TimeSpan lifetime, CancellationToken cancellationToken);

    /// <summary>Lists a channel's members, at most <paramref name="limit"/>, in no order. Whoever a dead node has put is not listed.</summary>
    ValueTask<PresenceList> ListAsync(ChannelName channel, int limit, CancellationToken cancellationToken);

    /// <summary>Which of some users are in a channel, by a living node.</summary>
    ValueTask<IReadOnlySet<string>> FindAsync(ChannelName channel, IReadOnlyCollection<string> userIds, CancellationToken cancellationToken);

    /// <summary>Removes what dead nodes have put. Of several callers one gets each member.</summary>
    /// <returns>The members who are thereby in their channel by no node.</returns>
    ValueTask<IReadOnlyList<ExpiredMember>> TakeExpiredAsync(CancellationToken cancellationToken);
}

/// <summary>What a call did to a channel's members.</summary>
/// <param name="IsChange">Whether the user came or went; false if another node has them there as well, or it was so before.</param>
/// <param name="Count">How many members the channel has now.</param>
internal readonly record struct PresenceChange(bool IsChange, int Count);

/// <summary>A channel's members.</summary>
/// <param name="Members">As many as were asked for.</param>
/// <param name="Count">How many there are.</param>
public sealed record PresenceList(IReadOnlyList<PresenceMember> Members, int Count);

/// <summary>A member whose node died.</summary>
/// <param name="Channel">The channel.</param>
/// <param name="Member">Who it was.</param>
/// <param name="Count">How many members the channel has now.</param>
internal sealed record ExpiredMember(ChannelName Channel, PresenceMember Member, int Count);
