using System.Text.Json;
using Tidings.Protocols.Native;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SocketIo;

/// <summary>
/// What clients may emit. An event is read as the message of the native protocol that asks the same, so that there is one parser with one
/// set of limits and mistakes.
/// </summary>
internal sealed class ClientEvents(CommandParser parser)
{
    private const string SubscribeTo = "subscribe:";
    private const string UnsubscribeFrom = "unsubscribe:";

    /// <summary>The fields that an object behind the arguments may name.</summary>
    private static readonly string[] OptionFields = ["since", "presence", "token", "limit"];

    /// <summary>The command that an event stands for, or what is wrong with it.</summary>
    public ParsedCommand Parse(SocketPacket packet)
    {
        var number = packet.Id ?? SocketIoFormat.NoAck;
        if (packet.Attachments > 0) return Wrong(ErrorCode.BadRequest, "Binary data is not supported: send JSON.");

        var name = packet.Name!;
        var parsed = name switch
        {
            "subscribe" or "unsubscribe" or "presence" or "history" => Parse(number, name, packet, ["channel"]),
            "publish" => Parse(number, name, packet, ["channel", "event", "data"]),
            "typing" => Parse(number, "publish", packet, ["channel"], isTyping: true),
            "auth" => Parse(number, name, packet, ["token"]),
            _ when name.StartsWith(SubscribeTo, StringComparison.Ordinal) => Parse(number, "subscribe", packet, ["channel"], name[SubscribeTo.Length..]),
            _ when name.StartsWith(UnsubscribeFrom, StringComparison.Ordinal) => Parse(number, "unsubscribe", packet, ["channel"], name[UnsubscribeFrom.Length..]),
            _ => Wrong(ErrorCode.UnknownType, "There is no such event."),
        };
        return parsed.Malformed is null ? parsed : Wrong(ErrorCode.BadRequest, "The arguments cannot be read.");

        ParsedCommand Wrong(ErrorCode code, string message) => new(null, new ErrorMessage(number, code, message));
    }

    private ParsedCommand Parse(long number, string type, SocketPacket packet, string[] fields, string? kind = null, bool isTyping = false)
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        json.WriteNumber("id"u8, number);
        if (isTyping) json.WriteString("event"u8, "typing"u8);
        for (var index = 0; index < Math.Min(fields.Length, packet.Arguments.Count); index++)
        {
            var argument = packet.Arguments[index];
            if (kind is not null) WriteChannel(json, kind, argument.Span);
            else WriteField(json, fields[index], argument.Span);
        }

        if (fields.Length == 1 && packet.Arguments.Count > 1) WriteOptions(json, packet.Arguments[1].Span);
        json.WriteEndObject();
        json.Flush();
        return parser.Parse(scratch.Bytes.WrittenSpan);
    }

    private static void WriteField(Utf8JsonWriter json, string name, ReadOnlySpan<byte> value)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(value, skipInputValidation: true);
    }

    /// <summary>A kind and the id beside it, which some write as a number.</summary>
    private static void WriteChannel(Utf8JsonWriter json, string kind, ReadOnlySpan<byte> id)
    {
        json.WriteStartObject("channel"u8);
        json.WriteString("type"u8, kind);
        json.WritePropertyName("id"u8);
        if (id.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0) json.WriteStringValue(id);
        else json.WriteRawValue(id, skipInputValidation: true);
        json.WriteEndObject();
    }

    private static void WriteOptions(Utf8JsonWriter json, ReadOnlySpan<byte> options)
    {
        var reader = new Utf8JsonReader(options, new JsonReaderOptions { MaxDepth = SocketPacketParser.MaxDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string? known = null;
            foreach (var field in OptionFields)
                if (!reader.ValueIsEscaped && reader.ValueTextEquals(field)) known = field; // an escape may be half a character, at which it throws
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (known is not null) WriteField(json, known, options[start..(int)reader.BytesConsumed]);
        }
    }
}
