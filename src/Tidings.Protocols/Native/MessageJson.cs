using System.Buffers;
using System.Text;
using System.Text.Json;
using Tidings.Protocols.Admission;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Native;

/// <summary>The server's replies and notices as docs/protocol.md writes them.</summary>
internal static class MessageJson
{
    /// <summary>The name of the protocol, also its WebSocket subprotocol.</summary>
    public const string ProtocolName = "tidings.v1";

    /// <summary>The <c>type</c> of a message; null for what has no JSON form.</summary>
    public static string? TypeOf(ServerMessage message) => message switch
    {
        ConnectedMessage => "connected",
        SubscribedMessage => "subscribed",
        UnsubscribedMessage => "unsubscribed",
        PublishedMessage => "published",
        PresenceMessage => "presence",
        HistoryMessage => "history",
        AuthenticatedMessage => "authenticated",
        PongMessage => "pong",
        TokenExpiringMessage => "token_expiring",
        ErrorMessage => "error",
        _ => null,
    };

    /// <summary>Builds a message on this thread's <see cref="JsonScratch"/>.</summary>
    /// <returns>Its bytes, good until the scratch is taken again; empty for what has no JSON form.</returns>
    public static ReadOnlySpan<byte> Build(ServerMessage message, ChannelCatalog catalog)
    {
        if (TypeOf(message) is not { } type) return default;

        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        WriteFields(json, message, catalog);
        json.WriteEndObject();
        json.Flush();
        return scratch.Bytes.WrittenSpan;
    }

    /// <summary>Writes the fields of a message but its <c>type</c>.</summary>
    /// <param name="json">Where.</param>
    /// <param name="message">The message.</param>
    /// <param name="catalog">The kinds of channels.</param>
    /// <param name="withId">Whether the client's number is among them; protocols that have their own place for it leave it out.</param>
    internal static void WriteFields(Utf8JsonWriter json, ServerMessage message, ChannelCatalog catalog, bool withId = true)
    {
        long? IdOf(long? id) => withId ? id : null;

        switch (message)
        {
            case ConnectedMessage it:
                json.WriteString("connectionId"u8, it.ConnectionId);
                json.WriteString("userId"u8, it.UserId);
                json.WriteNumber("heartbeat"u8, it.Heartbeat.TotalSeconds);
                WriteInstant(json, "expiresAt"u8, it.ExpiresAt);
                json.WriteString("protocol"u8, ProtocolName);
                break;

            case SubscribedMessage it:
                WriteId(json, IdOf(it.Id));
                json.WriteString("channel"u8, it.Channel.Value);
                WritePosition(json, it.Position);
                if (it.Recovered is { } recovered) json.WriteBoolean("recovered"u8, recovered);
                break;

            case UnsubscribedMessage it:
                WriteId(json, IdOf(it.Id));
                json.WriteString("channel"u8, it.Channel.Value);
                if (it.Reason is { } reason) json.WriteString("reason"u8, reason);
                break;

            case PublishedMessage it:
                WriteId(json, IdOf(it.Id));
                break;

            case PresenceMessage it:
                WriteId(json, IdOf(it.Id));
                json.WriteString("channel"u8, it.Channel.Value);
                json.WriteStartArray("members"u8);
                foreach (var member in it.Members) WriteMember(json, member);
                json.WriteEndArray();
                json.WriteNumber("count"u8, it.Count);
                break;

            case HistoryMessage it:
                WriteId(json, IdOf(it.Id));
                WriteHistory(json, it, catalog);
                break;

            case AuthenticatedMessage it:
                WriteId(json, IdOf(it.Id));
                WriteInstant(json, "expiresAt"u8, it.ExpiresAt);
                break;

            case PongMessage it:
                WriteId(json, IdOf(it.Id));
                WriteInstant(json, "serverTime"u8, it.ServerTime);
                break;

            case TokenExpiringMessage it:
                WriteInstant(json, "expiresAt"u8, it.ExpiresAt);
                break;

            case ErrorMessage it:
                WriteId(json, IdOf(it.Id));
                json.WriteString("code"u8, Problems.CodeOf(it.Code));
                json.WriteString("message"u8, it.Message);
                if (it.Channel is { } channel) json.WriteString("channel"u8, channel);
                break;
        }
    }

    /// <summary>Writes the fields of a page of history.</summary>
    internal static void WriteHistory(Utf8JsonWriter json, HistoryMessage page, ChannelCatalog catalog)
    {
        json.WriteString("channel"u8, page.Channel.Value);
        WriteEvents(json, page, catalog);
        WritePosition(json, page.Position);
        if (page.Recovered is { } reaches) json.WriteBoolean("recovered"u8, reaches);
    }

    private static void WriteEvents(Utf8JsonWriter json, HistoryMessage page, ChannelCatalog catalog)
    {
        var feed = catalog.RulesOf(page.Channel).IsFeed ? page.Channel : null;
        var text = new ArrayBufferWriter<byte>();
        json.WriteStartArray("events"u8);
        foreach (var publication in page.Events)
        {
            text.ResetWrittenCount();
            EventJson.Write(text, catalog, publication, publication.FormFor(page.Rights), feed);
            json.WriteRawValue(text.WrittenSpan, skipInputValidation: true);
        }

        json.WriteEndArray();
    }

    private static void WriteMember(Utf8JsonWriter json, PresenceMember member)
    {
        json.WriteStartObject();
        json.WriteString("userId"u8, member.UserId);
        json.WritePropertyName("info"u8);
        json.WriteRawValue(member.Info.IsEmpty ? "null"u8 : member.Info.Span, skipInputValidation: true);
        json.WriteEndObject();
    }

    private static void WriteId(Utf8JsonWriter json, long? id)
    {
        if (id is { } number) json.WriteNumber("id"u8, number);
    }

    private static void WritePosition(Utf8JsonWriter json, Position position)
    {
        if (position.Exists) json.WriteString("position"u8, position.ToString());
    }

    private static void WriteInstant(Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTimeOffset? instant)
    {
        if (instant is not { } known)
        {
            json.WriteNull(name);
            return;
        }

        Span<byte> text = stackalloc byte[Timestamps.Length];
        Timestamps.Write(known, text);
        json.WriteString(name, text);
    }
}
