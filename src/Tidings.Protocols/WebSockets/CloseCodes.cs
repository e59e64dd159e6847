using System.Text;

namespace Tidings.Protocols.WebSockets;

/// <summary>The close codes of RFC 6455, section 7.4.</summary>
internal static class CloseCodes
{
    public const int ProtocolError = 1002;

    /// <summary>Binary where text is due.</summary>
    public const int Unsupported = 1003;

    public const int NotUtf8 = 1007;
    public const int TooBig = 1009;
    public const int UnexpectedError = 1011;

    /// <summary>Ours: not a message of the protocol.</summary>
    public const int Malformed = 4400;

    /// <summary>The most bytes of a reason: a control frame's 125 less the code.</summary>
    public const int MaxReasonBytes = 123;

    /// <summary>Whether a code may stand in a close frame. 1004 to 1006 and 1015 are only ever local marks.</summary>
    public static bool MayTravel(int code) => code is >= 1000 and <= 1003 or >= 1007 and <= 1014 or >= 3000 and <= 4999;

    /// <summary>Writes as much of a reason as fits, cut where a character ends.</summary>
    /// <returns>The number of bytes written.</returns>
    public static int WriteReason(string reason, Span<byte> into)
    {
        var room = into[..Math.Min(into.Length, MaxReasonBytes)];
        Encoding.UTF8.GetEncoder().Convert(reason, room, flush: true, out _, out var written, out _);
        return written;
    }
}
