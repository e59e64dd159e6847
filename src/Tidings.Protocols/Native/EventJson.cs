using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Native;

/// <summary>
/// An event as docs/protocol.md writes it: <c>{"type","channel","position","id","timestamp", …payload}</c>. In two parts around the channel's
/// name, because in feeds the name is the only thing that differs from one subscriber to the next.
/// </summary>
internal static class EventJson
{
    /// <summary>Writes the whole object.</summary>
    public static void Write(IBufferWriter<byte> to, ChannelCatalog catalog, Publication publication, PublicationForm form, ChannelName? feed = null)
    {
        WriteHead(to, publication);
        WriteName(to, feed ?? publication.Channel);
        WriteTail(to, catalog, publication, form, feed is null ? publication.Position : publication.FeedPosition);
    }

    /// <summary>Writes what comes before the channel's name.</summary>
    public static void WriteHead(IBufferWriter<byte> to, Publication publication)
    {
        to.Write("{\"type\":"u8);
        WriteText(to, publication.Draft.Type);
        to.Write(",\"channel\":\""u8);
    }

    /// <summary>Writes a channel's name, whose alphabet needs no escapes.</summary>
    public static void WriteName(IBufferWriter<byte> to, ChannelName channel) => Encoding.UTF8.GetBytes(channel.Value, to);

    /// <summary>Writes what comes after the channel's name.</summary>
    public static void WriteTail(IBufferWriter<byte> to, ChannelCatalog catalog, Publication publication, PublicationForm form, Position position)
    {
        to.Write("\""u8);
        if (position.Exists)
        {
            to.Write(",\"position\":\""u8);
            WritePosition(to, position);
            to.Write("\""u8);
        }

        to.Write(",\"id\":"u8);
        WriteText(to, publication.Draft.Id);
        to.Write(",\"timestamp\":\""u8);
        Timestamps.Write(publication.Draft.Timestamp, to.GetSpan(Timestamps.Length));
        to.Advance(Timestamps.Length);
        to.Write("\""u8);

        var payload = publication.PayloadOf(form).Span.Trim(" \t\r\n"u8);
        if (catalog.IsFlat(publication.Channel, publication.Draft.Type) && payload is [(byte)'{', .., (byte)'}'])
        {
            var fields = payload[1..^1].Trim(" \t\r\n"u8);
            if (!fields.IsEmpty) to.Write(","u8);
            to.Write(fields);
        }
        else
        {
            to.Write(",\"data\":"u8);
            to.Write(payload.IsEmpty ? "null"u8 : payload);
        }

        to.Write("}"u8);
    }

    private static void WritePosition(IBufferWriter<byte> to, Position position)
    {
        Span<byte> bytes = stackalloc byte[Position.MaxEncodedLength];
        var length = position.Encode(bytes);
        to.Advance(Base64Url.EncodeToUtf8(bytes[..length], to.GetSpan(Position.MaxTextLength)));
    }

    private static void WriteText(IBufferWriter<byte> to, string text)
    {
        to.Write("\""u8);
        to.Write(JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        to.Write("\""u8);
    }
}
