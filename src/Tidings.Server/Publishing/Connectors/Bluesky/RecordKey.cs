using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Tidings.Server.Publishing.Connectors.Bluesky;

/// <summary>
/// Keys of records: 13 characters that sort by time (a TID: 53 bits of microseconds, 10 bits of a clock's id). A delivery's key always gives the same one,
/// so a post that is sent again is the same record.
/// </summary>
internal static class RecordKey
{
    private const string Alphabet = "234567abcdefghijklmnopqrstuvwxyz";
    private const int Chars = 13;
    private const int ClockBits = 10;
    private const int MicrosecondsPerSecond = 1_000_000;

    /// <summary>The key of a delivery: the second in which the post was due, and 30 bits out of the delivery's key.</summary>
    public static string Of(string deliveryKey, DateTimeOffset createdAt)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(deliveryKey));
        var microsecond = BinaryPrimitives.ReadUInt32BigEndian(digest) % MicrosecondsPerSecond;
        var clock = BinaryPrimitives.ReadUInt16BigEndian(digest.AsSpan(4)) & ((1u << ClockBits) - 1);
        var value = (((ulong)createdAt.ToUnixTimeSeconds() * MicrosecondsPerSecond) + microsecond) << ClockBits | clock;

        return string.Create(Chars, value, static (text, rest) =>
        {
            for (var i = text.Length - 1; i >= 0; i--, rest >>= 5) text[i] = Alphabet[(int)(rest & 31)];
        });
    }
}
