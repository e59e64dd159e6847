using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Tidings.Server.Auth;

/// <summary>One sign-in of a user on one device.</summary>
/// <param name="Id">Public: the claim <c>sid</c>.</param>
/// <param name="UserId">Whose it is.</param>
/// <param name="Digest">Of the cookie's value.</param>
/// <param name="ExpiresAt">When it ends unless it is used.</param>
internal sealed record Session(string Id, string UserId, SessionDigest Digest, DateTimeOffset ExpiresAt);

/// <summary>SHA-256 of a session cookie's value, which is 256 random bits: neither salt nor slowness would add to it.</summary>
internal readonly record struct SessionDigest(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>The digest of a cookie's 32 bytes.</summary>
    public static SessionDigest Of(ReadOnlySpan<byte> value)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(value, hash);
        return From(hash);
    }

    /// <summary>The digest that was stored.</summary>
    public static SessionDigest From(ReadOnlySpan<byte> hash) => new(
        BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]),
        BinaryPrimitives.ReadUInt64BigEndian(hash[16..]), BinaryPrimitives.ReadUInt64BigEndian(hash[24..]));

    /// <summary>The 32 bytes to store.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[SHA256.HashSizeInBytes];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, A);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(8), B);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(16), C);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(24), D);
        return bytes;
    }
}

/// <summary>A session just begun, with the value of its cookie: a secret, which exists here and in the browser only.</summary>
internal sealed class NewSession(Session session, string cookieValue)
{
    public Session Session => session;

    public string CookieValue => cookieValue;
}
