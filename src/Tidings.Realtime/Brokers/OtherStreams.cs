using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Brokers;

/// <summary>What a publication of another node's stream is to this one.</summary>
internal enum StreamStep
{
    /// <summary>The next one.</summary>
    Next,

    /// <summary>One that is here already, or of a channel that nobody watches.</summary>
    Known,

    /// <summary>One before it is missing, and nobody will bring it.</summary>
    Missed,
}

/// <summary>
/// How far the streams of other nodes have come in the channels that are kept in memory and watched here. Safe for all threads.
/// </summary>
internal sealed class OtherStreams(TimeProvider clock)
{
    private const int StreamLimit = 10_000;

    /// <summary>What was published so shortly after watching began may have been on its way before.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly Dictionary<ChannelName, Watched> _channels = [];

    /// <summary>A channel is watched from now on.</summary>
    public void Begin(ChannelName channel)
    {
        lock (_lock) _channels[channel] = new Watched();
    }

    /// <summary>What is published in a channel from now on must arrive.</summary>
    public void Settle(ChannelName channel)
    {
        lock (_lock)
        {
            if (_channels.TryGetValue(channel, out var watched)) watched.SettledAt = clock.GetTimestamp();
        }
    }

    /// <summary>A channel is watched no more.</summary>
    public void End(ChannelName channel)
    {
        lock (_lock) _channels.Remove(channel);
    }

    /// <summary>Takes note of a publication.</summary>
    public StreamStep Take(ChannelName channel, StreamPlace place)
    {
        lock (_lock)
        {
            if (!_channels.TryGetValue(channel, out var watched)) return StreamStep.Known;
            var isKnown = watched.Numbers.TryGetValue(place.Stream, out var last);
            if (isKnown && place.Number <= last) return StreamStep.Known;

            if (watched.Numbers.Count >= StreamLimit) watched.Numbers.Clear();
            watched.Numbers[place.Stream] = place.Number;
            var isNext = isKnown ? place.Number == last + 1 : place.Number == 1 || !HasMissed(watched, place.PreviousAge);
            return isNext ? StreamStep.Next : StreamStep.Missed;
        }
    }

    /// <summary>Takes note of how far a stream has come.</summary>
    /// <returns>Whether something of it should be here and is not.</returns>
    public bool IsBehind(StreamHead head)
    {
        lock (_lock)
        {
            if (!_channels.TryGetValue(head.Channel, out var watched)) return false;
            var isKnown = watched.Numbers.TryGetValue(head.Stream, out var last);
            if (isKnown && head.Number <= last) return false;

            watched.Numbers[head.Stream] = head.Number;
            return isKnown || HasMissed(watched, head.Age);
        }
    }

    /// <summary>Whether something so old should have arrived.</summary>
    private bool HasMissed(Watched watched, TimeSpan age) =>
        watched.SettledAt is { } settledAt && age + Slack < clock.GetElapsedTime(settledAt);

    private sealed class Watched
    {
        public long? SettledAt { get; set; }

        public Dictionary<ulong, long> Numbers { get; } = [];
    }
}
