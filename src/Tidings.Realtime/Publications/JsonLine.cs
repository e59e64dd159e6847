using System.Text.Json;
using System.Text.Unicode;

namespace Tidings.Realtime.Publications;

/// <summary>Tells whether bytes from outside may be a payload.</summary>
internal static class JsonLine
{
    /// <summary>Whether it is one JSON text in UTF-8 on one line.</summary>
    public static bool Is(ReadOnlySpan<byte> text)
    {
        // The reader does not look into strings for bytes that are not UTF-8.
        if (text.IndexOfAny((byte)'\n', (byte)'\r') >= 0 || !Utf8.IsValid(text)) return false;
        try
        {
            var reader = new Utf8JsonReader(text);
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
