using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Tidings.Protocols.Pusher;

/// <summary>A connection's id in the form that Pusher's libraries insist on: two numbers with a dot between.</summary>
internal static class SocketId
{
    /// <summary>A new one, which nobody can guess and no other connection has.</summary>
    public static string New() => string.Create(CultureInfo.InvariantCulture, $"{Part()}.{Part()}");

    /// <summary>Whether a text has the form.</summary>
    public static bool Is(ReadOnlySpan<char> text)
    {
        var dot = text.IndexOf('.');
        return text.Length <= 64 && dot > 0 && dot < text.Length - 1
            && text[..dot].IndexOfAnyExceptInRange('0', '9') < 0 && text[(dot + 1)..].IndexOfAnyExceptInRange('0', '9') < 0;
    }

    /// <summary>A random number of up to ten digits.</summary>
    private static long Part()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return (long)(BinaryPrimitives.ReadUInt64LittleEndian(bytes) % 10_000_000_000);
    }
}
