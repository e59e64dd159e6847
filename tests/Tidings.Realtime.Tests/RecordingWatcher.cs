using System.Collections.Concurrent;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;

namespace Tidings.Realtime.Tests;

/// <summary>Notes what it hears of channels with Pusher's names.</summary>
internal sealed class RecordingWatcher : IChannelWatcher
{
    public ConcurrentQueue<string> Heard { get; } = new();

    public void Joined(ChannelName channel, PresenceMember member) => Heard.Enqueue($"joined {channel} {member.UserId}");

    public void Left(ChannelName channel, PresenceMember member) => Heard.Enqueue($"left {channel} {member.UserId}");

    public void Occupied(string channel) => Heard.Enqueue($"occupied {channel}");

    public void Vacated(string channel) => Heard.Enqueue($"vacated {channel}");
}
