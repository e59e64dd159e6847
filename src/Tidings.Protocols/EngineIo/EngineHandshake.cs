using Tidings.Protocols.Native;
using Tidings.Protocols.WebSockets;

namespace Tidings.Protocols.EngineIo;

/// <summary>The first packet of a session: its id and the times that the client must keep.</summary>
internal static class EngineHandshake
{
    /// <summary>The frame that carries it.</summary>
    public static ReadOnlyMemory<byte> FrameFor(EngineSession session, EngineIoSettings settings, bool mayUpgrade)
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteString("sid"u8, session.Sid);
        json.WriteStartArray("upgrades"u8);
        if (mayUpgrade) json.WriteStringValue("websocket"u8);
        json.WriteEndArray();
        json.WriteNumber("pingInterval"u8, (long)settings.PingInterval.TotalMilliseconds);
        json.WriteNumber("pingTimeout"u8, (long)settings.PingTimeout.TotalMilliseconds);
        json.WriteNumber("maxPayload"u8, settings.MaxPayload);
        json.WriteEndObject();
        json.Flush();
        return FrameWriter.Text([(byte)'0', .. scratch.Bytes.WrittenSpan]);
    }
}
