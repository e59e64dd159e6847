using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Tidings.Protocols.Native;

namespace Tidings.Protocols.SocketIo;

/// <summary>A client's text to a packet. What is not one ends the session, so there is one answer to everything that is wrong.</summary>
internal static class SocketPacketParser
{
    /// <summary>The most binary messages of one packet, on both sides.</summary>
    public const int MaxAttachments = 10;

    /// <summary>The deepest nesting of a payload.</summary>
    public const int MaxDepth = 64;

    /// <summary>The longest name of a namespace, in bytes.</summary>
    public const int MaxNamespace = 1_024;

    private const int MaxIdDigits = 15;
    private const int MaxArguments = 64;

    /// <summary>Names that a peer keeps for itself: it closes when one is sent.</summary>
    public static FrozenSet<string> ReservedNames { get; } = FrozenSet.ToFrozenSet(
        ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"], StringComparer.Ordinal);

    /// <summary>Parses a packet.</summary>
    /// <param name="text">Its text, valid UTF-8; the packet refers to it.</param>
    /// <returns>Null if it is none.</returns>
    public static SocketPacket? Parse(ReadOnlyMemory<byte> text)
    {
        try
        {
            return Read(text);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null; // the session ends with it, so the exception is paid once
        }
    }

    private static SocketPacket? Read(ReadOnlyMemory<byte> text)
    {
        if (text.IsEmpty || text.Span[0] is < (byte)'0' or > (byte)'6') return null;
        var type = (SocketPacketType)(text.Span[0] - '0');
        var rest = text[1..];

        var attachments = 0;
        if (type is SocketPacketType.BinaryEvent or SocketPacketType.BinaryAck)
        {
            if (TakeNumber(ref rest, 2) is not { } count || count is < 1 or > MaxAttachments || rest.IsEmpty || rest.Span[0] != '-') return null;
            attachments = (int)count;
            rest = rest[1..];
        }

        var name = TakeNamespace(ref rest);
        var hasId = !rest.IsEmpty && char.IsAsciiDigit((char)rest.Span[0]);
        var id = hasId ? TakeNumber(ref rest, MaxIdDigits) : null;
        if (name is null || (hasId && id is null)) return null;

        return type switch
        {
            SocketPacketType.Connect => rest.IsEmpty || IsObject(rest.Span) ? new(type, name, null, 0, rest, null, []) : null,
            SocketPacketType.Disconnect => rest.IsEmpty ? new(type, name, null, 0, rest, null, []) : null,
            SocketPacketType.Event or SocketPacketType.BinaryEvent => EventOf(type, name, id, attachments, rest),
            SocketPacketType.Ack or SocketPacketType.BinaryAck => ElementsOf(rest) is { } results ? new(type, name, id, attachments, rest, null, results) : null,
            _ => null,
        };
    }

    private static SocketPacket? EventOf(SocketPacketType type, string name, long? id, int attachments, ReadOnlyMemory<byte> payload)
    {
        if (ElementsOf(payload) is not [var first, .. var arguments]) return null;
        var text = first.Span[0] switch
        {
            (byte)'"' => JsonFields.TextOf(first.Span),
            (byte)'-' or (>= (byte)'0' and <= (byte)'9') => Encoding.UTF8.GetString(first.Span),
            _ => null,
        };
        return text is null || ReservedNames.Contains(text) ? null : new(type, name, id, attachments, payload, text, arguments);
    }

    /// <summary>A whole number of digits; null if there is none, or more digits than may be.</summary>
    private static long? TakeNumber(ref ReadOnlyMemory<byte> rest, int maxDigits)
    {
        var length = rest.Span.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (length < 0) length = rest.Length;
        if (length == 0 || length > maxDigits) return null;
        var number = long.Parse(rest.Span[..length], NumberStyles.None, CultureInfo.InvariantCulture);
        rest = rest[length..];
        return number;
    }

    private static string? TakeNamespace(ref ReadOnlyMemory<byte> rest)
    {
        if (rest.IsEmpty || rest.Span[0] != '/') return "/";
        var comma = rest.Span.IndexOf((byte)',');
        var name = comma < 0 ? rest : rest[..comma];
        rest = comma < 0 ? default : rest[(comma + 1)..];
        return name.Length <= MaxNamespace ? Encoding.UTF8.GetString(name.Span) : null;
    }

    private static bool IsObject(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
        reader.Skip();
        return !reader.Read();
    }

    /// <summary>The elements of an array as they stand there; null if the text is none, or has more of them than may be.</summary>
    private static List<ReadOnlyMemory<byte>>? ElementsOf(ReadOnlyMemory<byte> json)
    {
        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (json.IsEmpty || !reader.Read() || reader.TokenType != JsonTokenType.StartArray) return null;

        var elements = new List<ReadOnlyMemory<byte>>(3);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (elements.Count == MaxArguments) return null;
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            elements.Add(json[start..(int)reader.BytesConsumed]);
        }

        return reader.Read() ? null : elements;
    }
}
