using System.Text.Json;
using Tidings.Protocols.Native;

namespace Tidings.Protocols.Pusher;

/// <summary>A client's message: <c>{"event","channel"?,"data"?}</c>.</summary>
internal sealed class PusherMessage
{
    /// <summary>The longest name of a client's event, in characters.</summary>
    public const int MaxEvent = 200;

    private PusherMessage(string name, string? channel, byte[] data) => (Event, Channel, Data) = (name, channel, data);

    /// <summary>The event's name.</summary>
    public string Event { get; }

    /// <summary>The channel, for events of clients.</summary>
    public string? Channel { get; }

    /// <summary>The JSON of <c>data</c> as it was sent, on one line; empty if there is none.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Reads a message.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public static string? Read(ReadOnlySpan<byte> utf8, out PusherMessage? message)
    {
        message = null;
        try
        {
            return ReadObject(utf8, out message);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return "The message is not JSON."; // the second is what half a character raises
        }
    }

    /// <summary>The text fields of <c>data</c>, which may be an object or a string of JSON; null if it is neither.</summary>
    public Dictionary<string, string?>? ReadFields()
    {
        try
        {
            var json = Data;
            if (!json.IsEmpty && json.Span[0] == (byte)'"') json = System.Text.Encoding.UTF8.GetBytes(JsonSerializer.Deserialize<string>(json.Span)!);
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = JsonFields.MaxDepth, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            return document.RootElement.EnumerateObject().ToDictionary(
                static field => field.Name,
                static field => field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString() : null,
                StringComparer.Ordinal);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? ReadObject(ReadOnlySpan<byte> utf8, out PusherMessage? message)
    {
        message = null;
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = JsonFields.MaxDepth });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) return "The message is not an object.";

        string? name = null;
        string? channel = null;
        byte[]? data = null;
        var seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.ValueTextEquals("event"u8) ? 1 : reader.ValueTextEquals("channel"u8) ? 2 : reader.ValueTextEquals("data"u8) ? 4 : 0;
            reader.Read();
            if (field == 0)
            {
                reader.Skip();
                continue;
            }

            if ((seen & field) != 0) return "A field stands there twice.";
            seen |= field;
            if (field == 4)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                data = CommandParser.OneLine(utf8[start..(int)reader.BytesConsumed]).ToArray();
            }
            else if (reader.TokenType == JsonTokenType.String)
            {
                if (field == 1) name = reader.GetString();
                else channel = reader.GetString();
            }
            else
            {
                reader.Skip();
            }
        }

        if (reader.Read()) return "The message is not JSON.";
        if (name is null) return "The message has no event.";
        message = new PusherMessage(name, channel, data ?? []);
        return null;
    }
}
