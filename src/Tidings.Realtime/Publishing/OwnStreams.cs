using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Publishing;

/// <summary>
/// Numbers what this node publishes to channels that are kept in memory, and tells the other nodes how far it has come once such a channel
/// is quiet, so that they notice when it was the last that was lost. Safe for all threads.
/// </summary>
internal sealed class OwnStreams(TimeProvider clock)
{
    private const int ChannelLimit = 100_000;

    /// <summary>A head may be lost as well.</summary>
    private const int Tellings = 2;

    /// <summary>Younger publications are still on their way; and the one that follows will tell of them.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Dictionary<ChannelName, Head> _heads = [];
    private readonly HashSet<ChannelName> _untold = [];
    private ulong _stream = NewStream();

    /// <summary>Gives this node's next publication in a channel its place.</summary>
    public StreamPlace Next(ChannelName channel)
    {
        lock (_lock)
        {
            if (_heads.Count >= ChannelLimit && !_heads.ContainsKey(channel))
            {
                _heads.Clear();
                _untold.Clear();
                _stream = NewStream();
            }

            ref var head = ref CollectionsMarshal.GetValueRefOrAddDefault(_heads, channel, out var isKnown);
            var now = clock.GetTimestamp();
            var place = new StreamPlace(_stream, head.Number + 1, isKnown ? clock.GetElapsedTime(head.At, now) : TimeSpan.Zero);
            head = new Head(place.Number, now, Tellings);
            _untold.Add(channel);
            return place;
        }
    }

    /// <summary>The heads of channels that are quiet and were not told often enough; they count as told.</summary>
    public List<StreamHead> TakeUntold()
    {
        var told = new List<StreamHead>();
        lock (_lock)
        {
            foreach (var channel in _untold)
            {
                var head = _heads[channel];
                var age = clock.GetElapsedTime(head.At);
                if (age < Quiet) continue;

                told.Add(new StreamHead(channel, _stream, head.Number, age));
                _heads[channel] = head with { Tellings = head.Tellings - 1 };
                if (head.Tellings <= 1) _untold.Remove(channel); // a set may be removed from while it is walked
            }
        }

        return told;
    }

    /// <summary>All heads are to be told once more: somebody may have missed them.</summary>
    public void TellAgain()
    {
        lock (_lock)
        {
            foreach (var channel in _heads.Keys)
            {
                ref var head = ref CollectionsMarshal.GetValueRefOrNullRef(_heads, channel);
                head = head with { Tellings = Math.Max(1, head.Tellings) };
                _untold.Add(channel);
            }
        }
    }

    private static ulong NewStream()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes) | 1;
    }

    private readonly record struct Head(long Number, long At, int Tellings);
}
