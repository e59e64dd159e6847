using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Presence;

/// <summary>Lets each user tell each channel at most once a second that they are typing. Only on the users' home shard.</summary>
internal sealed class TypingPace(TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Dictionary<(ChannelName Channel, string UserId), long> _toldAt = [];

    /// <summary>Whether it may be told now; if so it was.</summary>
    public bool TryTell(ChannelName channel, string userId)
    {
        var now = clock.GetTimestamp();
        if (_toldAt.TryGetValue((channel, userId), out var toldAt) && clock.GetElapsedTime(toldAt, now) < Interval) return false;
        _toldAt[(channel, userId)] = now;
        return true;
    }

    /// <summary>Forgets what is over.</summary>
    public void Tick(long now)
    {
        foreach (var (key, toldAt) in _toldAt)
            if (clock.GetElapsedTime(toldAt, now) >= Interval) _toldAt.Remove(key);
    }
}
