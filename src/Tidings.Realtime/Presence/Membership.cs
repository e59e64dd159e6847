using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Presence;

/// <summary>One user in one channel by this node, over all connections. Touched only on the user's home shard.</summary>
internal sealed class Membership(ChannelName channel, string userId)
{
    public ChannelName Channel => channel;

    public string UserId => userId;

    /// <summary>What others see; null until it was read.</summary>
    public PresenceMember? Member { get; set; }

    /// <summary>Called once, on the shard, when the store has been told.</summary>
    public Action? Settled { get; set; }

    /// <summary>When the last reader left, or trying again is due; a timestamp.</summary>
    public long LookAgainAt { get; set; }

    /// <summary>How many visible connections the user has there.</summary>
    public int Readers { get; set; }

    /// <summary>How often the info was asked for: an answer that was overtaken by a newer question is dropped.</summary>
    public ushort Reads { get; set; }

    /// <summary>Whether the user does not want to be seen there.</summary>
    public bool IsHidden { get; set; }

    /// <summary>Whether the store has it.</summary>
    public bool IsPut { get; set; }

    /// <summary>Whether the store is being told.</summary>
    public bool IsBusy { get; set; }

    /// <summary>Whether it is among those that will be looked at again.</summary>
    public bool IsDue { get; set; }
}
