using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tidings.Protocols.EngineIo;
using Tidings.Protocols.Native;
using Tidings.Protocols.WebSockets;

namespace Tidings.Protocols.SocketIo;

/// <summary>Packets of the server, each as the frame that carries it.</summary>
internal static class SocketPackets
{
    /// <summary>The reply to CONNECT.</summary>
    /// <param name="name">The namespace.</param>
    /// <param name="sid">The socket's public id.</param>
    /// <param name="pid">The secret with which it can be recovered; null if it can't.</param>
    public static byte[] Connected(string name, string sid, string? pid)
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteString("sid"u8, sid);
        if (pid is not null) json.WriteString("pid"u8, pid);
        json.WriteEndObject();
        json.Flush();
        return Frame(SocketPacketType.Connect, name, null, scratch.Bytes.WrittenSpan);
    }

    /// <summary>The refusal of a CONNECT.</summary>
    /// <param name="name">The namespace.</param>
    /// <param name="message">What the client's <c>Error</c> says.</param>
    /// <param name="code">The stable code beside it; null for none.</param>
    public static byte[] ConnectError(string name, string message, string? code)
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteString("message"u8, message);
        if (code is not null)
        {
            json.WriteStartObject("data"u8);
            json.WriteString("code"u8, code);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
        return Frame(SocketPacketType.ConnectError, name, null, scratch.Bytes.WrittenSpan);
    }

    /// <summary>The end of a namespace, which a client takes for good.</summary>
    public static byte[] Disconnect(string name) => Frame(SocketPacketType.Disconnect, name, null, []);

    /// <summary>An event.</summary>
    /// <param name="name">The namespace.</param>
    /// <param name="eventName">The event's name.</param>
    /// <param name="arguments">The JSON of its arguments, between commas; empty for none.</param>
    public static byte[] Event(string name, string eventName, ReadOnlySpan<byte> arguments)
    {
        var payload = new ArrayBufferWriter<byte>(arguments.Length + 64);
        WriteEventStart(payload, eventName);
        if (!arguments.IsEmpty) payload.Write(","u8);
        payload.Write(arguments);
        payload.Write("]"u8);
        return Frame(SocketPacketType.Event, name, null, payload.WrittenSpan);
    }

    /// <summary>The answer to an event, as the JSON of its results between commas.</summary>
    public static byte[] Ack(string name, long id, ReadOnlySpan<byte> results) => Frame(SocketPacketType.Ack, name, id, [(byte)'[', .. results, (byte)']']);

    /// <summary>A packet with binary messages behind it, as one unit.</summary>
    public static byte[] WithBinaries(EngineSession session, SocketPacketType type, string name, long? id, ReadOnlySpan<byte> payload, IReadOnlyList<byte[]> binaries)
    {
        var unit = new ArrayBufferWriter<byte>(payload.Length + 64);
        unit.Write(Frame(type, name, id, payload, binaries.Count));
        foreach (var bytes in binaries) unit.Write(session.BinaryFrame(bytes));
        return unit.WrittenSpan.ToArray();
    }

    /// <summary>Writes <c>["name"</c>, a reserved name so that a client does not take it for an attack on it.</summary>
    public static void WriteEventStart(IBufferWriter<byte> to, string eventName)
    {
        to.Write("[\""u8);
        if (SocketPacketParser.ReservedNames.Contains(eventName)) to.Write("event:"u8);
        to.Write(JsonEncodedText.Encode(eventName, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        to.Write("\""u8);
    }

    /// <summary>A packet in its frame.</summary>
    public static byte[] Frame(SocketPacketType type, string name, long? id, ReadOnlySpan<byte> payload, int attachments = 0)
    {
        var text = new ArrayBufferWriter<byte>(payload.Length + 64);
        text.Write([EnginePackets.Message, (byte)('0' + (int)type)]);
        if (attachments > 0) text.Write(Encoding.ASCII.GetBytes(attachments.ToString(CultureInfo.InvariantCulture) + "-"));
        if (name != "/")
        {
            Encoding.UTF8.GetBytes(name, text);
            text.Write(","u8);
        }

        if (id is { } number) text.Write(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
        text.Write(payload);
        return FrameWriter.Text(text.WrittenSpan);
    }
}
