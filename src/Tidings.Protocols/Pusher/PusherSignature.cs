using System.Security.Cryptography;
using System.Text;

namespace Tidings.Protocols.Pusher;

/// <summary>What a signature is worth.</summary>
internal enum SignatureVerdict
{
    Good,

    /// <summary>There is none, or it is not of the form <c>key:hex</c>.</summary>
    Malformed,

    /// <summary>It is another app's.</summary>
    WrongKey,

    /// <summary>It was made of something else, or with another secret.</summary>
    Wrong,
}

/// <summary>
/// The signatures of Pusher's protocol: HMAC-SHA256 with the app's secret, in lower-case hex. Compared in constant time. Each names the
/// connection that it is for, so that it can't be used by another.
/// </summary>
internal static class PusherSignature
{
    private const int HexLength = 2 * HMACSHA256.HashSizeInBytes;

    /// <summary>What is signed for a channel; with the channel data exactly as it was sent, if there is any.</summary>
    public static string OfChannel(string socketId, string channel, string? channelData) =>
        channelData is null ? $"{socketId}:{channel}" : $"{socketId}:{channel}:{channelData}";

    /// <summary>What is signed for a user, with the user data exactly as it was sent.</summary>
    public static string OfUser(string socketId, string userData) => $"{socketId}::user::{userData}";

    /// <summary>The hex digest of a text.</summary>
    public static string Digest(PusherApp app, string text) => Digest(app, Encoding.UTF8.GetBytes(text));

    /// <summary>The hex digest of some bytes.</summary>
    public static string Digest(PusherApp app, ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(HMACSHA256.HashData(app.Secret, bytes));

    /// <summary>The value of <c>auth</c>: the key and the digest.</summary>
    public static string Sign(PusherApp app, string text) => $"{app.Key}:{Digest(app, text)}";

    /// <summary>Judges an <c>auth</c> that a client sent.</summary>
    public static SignatureVerdict Judge(PusherApp app, string? auth, string text)
    {
        var colon = auth?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (colon <= 0) return SignatureVerdict.Malformed;
        if (app.With(auth.AsSpan(0, colon)) is not { } pair) return SignatureVerdict.WrongKey;
        return IsDigest(pair, auth.AsSpan(colon + 1), Encoding.UTF8.GetBytes(text)) ? SignatureVerdict.Good : SignatureVerdict.Wrong;
    }

    /// <summary>Whether a hex digest, in lower case, is that of some bytes.</summary>
    public static bool IsDigest(PusherApp app, ReadOnlySpan<char> hex, ReadOnlySpan<byte> bytes)
    {
        if (hex.Length != HexLength) return false;
        Span<byte> shown = stackalloc byte[HexLength];
        if (!Encoding.ASCII.TryGetBytes(hex, shown, out _)) return false;
        return CryptographicOperations.FixedTimeEquals(shown, Encoding.ASCII.GetBytes(Digest(app, bytes)));
    }
}
