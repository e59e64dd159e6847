using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tidings.Realtime.Publications;

/// <summary>
/// Makes what somebody else wrote fit to stand beside the engine's own fields: an object without the names that are ours, so that
/// nobody can speak in the engine's name.
/// </summary>
internal static class FlatPayload
{
    private const int MaxDepth = 64;

    /// <summary>Copies an object without <c>type</c>, <c>channel</c>, <c>position</c>, <c>id</c> and <c>timestamp</c>, on one line.</summary>
    /// <param name="json">UTF-8 JSON.</param>
    /// <param name="payload">What is left of it.</param>
    /// <returns>False if it is not an object, or not JSON, or has text that is not Unicode.</returns>
    public static bool TryMake(ReadOnlyMemory<byte> json, out byte[] payload)
    {
        payload = [];
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
            if (document.RootElement.ValueKind != JsonValueKind.Object) return false;

            var bytes = new ArrayBufferWriter<byte>(json.Length);
            using (var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                writer.WriteStartObject();
                foreach (var field in document.RootElement.EnumerateObject())
                    if (field.Name is not ("type" or "channel" or "position" or "id" or "timestamp")) field.WriteTo(writer);
                writer.WriteEndObject();
            }

            payload = bytes.WrittenSpan.ToArray();
            return true;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
