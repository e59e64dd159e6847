using System.Collections.Concurrent;
using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Connections;

/// <summary>
/// The revocations of the last minute: whoever was let into a channel before one, and joins only after it, must not slip through. Longer
/// than that no subscription is under way. Safe for all threads.
/// </summary>
internal sealed class RecentRevocations(TimeProvider clock)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(ChannelName Channel, string? UserId), long> _revokedAt = new();

    /// <summary>From now on grants that were asked for before count no more.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="userId">Whose; null: everybody's.</param>
    public void Add(ChannelName channel, string? userId) => _revokedAt[(channel, userId)] = clock.GetTimestamp();

    /// <summary>Whether a grant that was asked for at a time has been taken back since.</summary>
    public bool CoverGrantOf(long askedAt, ChannelName channel, string? userId) =>
        !_revokedAt.IsEmpty && (IsSince(askedAt, (channel, null)) || (userId is not null && IsSince(askedAt, (channel, userId))));

    /// <summary>Forgets what is old.</summary>
    public void Forget()
    {
        foreach (var (key, revokedAt) in _revokedAt)
            if (clock.GetElapsedTime(revokedAt) > KeptFor) _revokedAt.TryRemove(KeyValuePair.Create(key, revokedAt));
    }

    private bool IsSince(long askedAt, (ChannelName, string?) key) => _revokedAt.TryGetValue(key, out var revokedAt) && askedAt <= revokedAt;
}
