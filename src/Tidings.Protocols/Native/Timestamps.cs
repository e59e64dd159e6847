using System.Globalization;

namespace Tidings.Protocols.Native;

/// <summary>Instants on the wire: RFC 3339, UTC, milliseconds.</summary>
internal static class Timestamps
{
    /// <summary>The length of every such text.</summary>
    public const int Length = 24;

    /// <summary>Writes the text, <see cref="Length"/> bytes.</summary>
    public static void Write(DateTimeOffset instant, Span<byte> into) =>
        instant.UtcDateTime.TryFormat(into, out _, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
