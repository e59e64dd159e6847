using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Streams;

/// <summary>
/// One compact token for the places in all channels of a stream: a version, then for each channel four bytes that stand for its name
/// and its position. Base64url, because it travels as a header, in a URL and in an <c>id:</c> line. Any node can read it.
/// </summary>
internal static class StreamToken
{
    /// <summary>The most channels of a stream.</summary>
    public const int MaxChannels = 50;

    /// <summary>The longest token, in characters.</summary>
    public const int MaxLength = ((1 + (MaxChannels * MaxEntry)) * 4 / 3) + 2;

    private static readonly SearchValues<char> Alphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private const byte Version = 1;
    private const int MaxEntry = sizeof(uint) + Position.MaxEncodedLength;

    /// <summary>What stands for a channel's name in tokens: FNV-1a over its characters, the same on every node and for ever.</summary>
    public static uint MarkOf(ChannelName channel)
    {
        var hash = 2166136261u;
        foreach (var character in channel.Value) hash = (hash ^ character) * 16777619u;
        return hash;
    }

    /// <summary>Writes a token.</summary>
    /// <param name="places">The mark and the position of each channel that has one; no mark twice.</param>
    /// <param name="into">At least <see cref="MaxLength"/> bytes.</param>
    /// <returns>The number of bytes written.</returns>
    public static int Write(ReadOnlySpan<(uint Mark, Position Position)> places, Span<byte> into)
    {
        Span<byte> bytes = stackalloc byte[1 + (MaxChannels * MaxEntry)];
        bytes[0] = Version;
        var length = 1;
        foreach (var (mark, position) in places)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[length..], mark);
            length += sizeof(uint);
            length += position.Encode(bytes[length..]);
        }

        return Base64Url.EncodeToUtf8(bytes[..length], into);
    }

    /// <summary>Reads what <see cref="Write"/> writes; anything else is refused as a whole.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out Dictionary<uint, Position> places)
    {
        places = [];
        if (text.Length is 0 or > MaxLength || text.ContainsAnyExcept(Alphabet)) return false;

        Span<byte> bytes = stackalloc byte[MaxLength];
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var count) != OperationStatus.Done || count == 0 || bytes[0] != Version) return false;

        var rest = bytes[1..count];
        while (!rest.IsEmpty)
        {
            if (rest.Length < sizeof(uint) || places.Count == MaxChannels) return false;
            var mark = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (!Position.TryDecode(rest[sizeof(uint)..], out var position, out var length) || !places.TryAdd(mark, position)) return false;
            rest = rest[(sizeof(uint) + length)..];
        }

        return true;
    }
}
