using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;

namespace Tidings.Server.Host;

/// <summary>
/// Where a page ended: the time and the id of its last post, whose order no later post changes. Opaque to clients; one text per place.
/// </summary>
internal readonly record struct PageCursor(long CreatedAt, string Id)
{
    private const int Bytes = sizeof(long) + 16;
    private const int Chars = Bytes * 4 / 3;

    /// <summary>Before the newest post.</summary>
    public static PageCursor Start { get; } = new(long.MaxValue, "");

    /// <summary>Reads the text that <see cref="ToString"/> writes, and no other.</summary>
    public static bool TryParse(string? text, out PageCursor cursor)
    {
        cursor = default;
        if (text is not { Length: Chars }) return false;

        Span<byte> bytes = stackalloc byte[Bytes];
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var length) != OperationStatus.Done || length != Bytes) return false; // the Try method throws

        var createdAt = BinaryPrimitives.ReadInt64BigEndian(bytes);
        if (createdAt < 0) return false;

        cursor = new PageCursor(createdAt, Convert.ToHexStringLower(bytes[sizeof(long)..]));
        return true;
    }

    /// <summary>The token that clients see.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, CreatedAt);
        Convert.FromHexString(Id, bytes[sizeof(long)..], out _, out _);
        return Base64Url.EncodeToString(bytes);
    }
}
