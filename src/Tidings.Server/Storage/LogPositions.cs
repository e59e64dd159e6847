using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage;

/// <summary>How epochs are made: the log's generation in the upper half, the channel's own in the lower.</summary>
internal readonly record struct LogPositions(uint Generation)
{
    private const uint SequenceMark = 0xFEED_FEED;

    /// <summary>The epoch of places in the whole log.</summary>
    public ulong SequenceEpoch => EpochOf(SequenceMark);

    /// <summary>The epoch of a channel's positions.</summary>
    public ulong EpochOf(long channelEpoch) => ((ulong)Generation << 32) | (uint)channelEpoch;

    public Position InLog(long sequence) => new(SequenceEpoch, sequence);

    /// <summary>
    /// The epoch with which a channel begins. It follows from its name, so that a channel without a row already has the epoch that it
    /// will have with one.
    /// </summary>
    public long FirstEpochOf(ChannelName channel)
    {
        Span<byte> text = stackalloc byte[sizeof(uint) + ChannelName.MaxKindLength + 1 + ChannelName.MaxIdLength];
        BinaryPrimitives.WriteUInt32BigEndian(text, Generation);
        var length = sizeof(uint) + Encoding.ASCII.GetBytes(channel.Value, text[sizeof(uint)..]);

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..length], hash);
        var epoch = BinaryPrimitives.ReadUInt32BigEndian(hash);
        return epoch is 0 or SequenceMark ? 1 : epoch;
    }
}
