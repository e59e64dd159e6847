using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;

namespace Tidings.Server.Host;

/// <summary>
/// Where a page ended in a list whose rows have places that rise one by one and are never used again: nothing is repeated or skipped,
/// whatever is written meanwhile. Opaque to clients; one text per place.
/// </summary>
internal readonly record struct PlaceCursor(long Place)
{
    private const int Chars = 11;

    /// <summary>Above every place.</summary>
    public static PlaceCursor Newest { get; } = new(long.MaxValue);

    /// <summary>Below every place.</summary>
    public static PlaceCursor Oldest { get; } = new(0);

    /// <summary>Reads the text that <see cref="ToString"/> writes, and no other.</summary>
    public static bool TryParse(string? text, out PlaceCursor cursor)
    {
        cursor = default;
        if (text is not { Length: Chars }) return false;

        Span<byte> bytes = stackalloc byte[sizeof(long)];
        if (Base64Url.DecodeFromChars(text, bytes, out _, out var length) != OperationStatus.Done || length != sizeof(long)) return false;

        cursor = new PlaceCursor(BinaryPrimitives.ReadInt64BigEndian(bytes));
        return cursor.Place >= 0;
    }

    /// <summary>The token that clients see.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Place);
        return Base64Url.EncodeToString(bytes);
    }
}
