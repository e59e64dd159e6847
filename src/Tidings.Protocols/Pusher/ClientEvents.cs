using System.Buffers;
using System.Text.Json;
using Tidings.Protocols.Native;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Pusher;

/// <summary>
/// Events that clients send to each other. In channels of Pusher's names they pass: nothing of them is kept. There the payload is
/// <c>{"user_id":…,"data":…}</c>, so that who sent it, which the server knows, travels with what was sent.
/// </summary>
internal static class ClientEvents
{
    private const string Prefix = "client-";

    /// <summary>The most bytes of data.</summary>
    public const int MaxData = 10 * 1024;

    /// <summary>How many a second one connection may send.</summary>
    public const int PerSecond = 10;

    /// <summary>Whether an event's name is that of a client's.</summary>
    public static bool IsOne(string type) => type.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Whether a publication has the form of this class. What backends publish to such channels has a position.</summary>
    public static bool IsWrapped(Publication publication) => publication.Channel.IsForeign && !publication.Position.Exists && IsOne(publication.Draft.Type);

    /// <summary>Makes the payload.</summary>
    /// <param name="userId">Who sends it, by the membership in a presence channel; null elsewhere.</param>
    /// <param name="data">JSON on one line; empty for none.</param>
    public static byte[] Wrap(string? userId, ReadOnlySpan<byte> data)
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteString("user_id"u8, userId);
        json.WritePropertyName("data"u8);
        json.WriteRawValue(data.IsEmpty ? "null"u8 : data, skipInputValidation: true);
        json.WriteEndObject();
        json.Flush();
        return scratch.Bytes.WrittenSpan.ToArray();
    }

    /// <summary>Writes the data with its own JSON type, and the user's id behind it.</summary>
    public static void WriteUnwrapped(IBufferWriter<byte> to, ReadOnlySpan<byte> payload)
    {
        var (userId, data) = Read(payload);
        to.Write(data);
        if (userId.Length == 0) return;
        to.Write(",\"user_id\":"u8);
        to.Write(userId);
    }

    /// <summary>The JSON of both parts; the first is empty if there is no user.</summary>
    private static (byte[] UserId, byte[] Data) Read(ReadOnlySpan<byte> payload)
    {
        var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = JsonFields.MaxDepth + 1 });
        (byte[] UserId, byte[] Data) parts = ([], "null"u8.ToArray());
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isData = reader.ValueTextEquals("data"u8);
            var isUser = reader.ValueTextEquals("user_id"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var isNull = reader.TokenType == JsonTokenType.Null;
            reader.Skip();
            var value = payload[start..(int)reader.BytesConsumed].ToArray();
            if (isData) parts.Data = value;
            else if (isUser && !isNull) parts.UserId = value;
        }

        return parts;
    }

    /// <summary>The data and the user's id of a payload, for webhooks.</summary>
    public static (string? UserId, string Data) Unwrap(ReadOnlySpan<byte> payload)
    {
        var (userId, data) = Read(payload);
        return (userId.Length == 0 ? null : JsonSerializer.Deserialize<string>(userId), System.Text.Encoding.UTF8.GetString(data));
    }
}
