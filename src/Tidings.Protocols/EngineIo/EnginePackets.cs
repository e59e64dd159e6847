using Tidings.Protocols.WebSockets;

namespace Tidings.Protocols.EngineIo;

/// <summary>The packets without content that a server sends, each as the WebSocket frame that carries it.</summary>
internal static class EnginePackets
{
    /// <summary>What stands between packets in the body of a poll.</summary>
    public const byte Separator = 0x1E;

    /// <summary>What a binary message begins with where only text can be.</summary>
    public const byte BinaryPrefix = (byte)'b';

    /// <summary>What a text message begins with.</summary>
    public const byte Message = (byte)'4';

    public static ReadOnlyMemory<byte> Ping { get; } = FrameWriter.Text("2"u8);

    public static ReadOnlyMemory<byte> ProbeAnswer { get; } = FrameWriter.Text("3probe"u8);

    /// <summary>The body of a poll that ends a session.</summary>
    public static ReadOnlySpan<byte> CloseBody => "1"u8;

    /// <summary>The body of a poll that has nothing to say.</summary>
    public static ReadOnlySpan<byte> NoopBody => "6"u8;

    /// <summary>What a client wrote to us first, in its first byte.</summary>
    public static EnginePacketType TypeOf(ReadOnlySpan<byte> packet) => packet switch
    {
        [] => EnginePacketType.Unknown,
        [(byte)'1'] => EnginePacketType.Close,
        [(byte)'2', ..] => EnginePacketType.Ping,
        [(byte)'3', ..] => EnginePacketType.Pong,
        [Message, ..] => EnginePacketType.Message,
        [(byte)'5'] => EnginePacketType.Upgrade,
        [(byte)'0', ..] or [(byte)'6'] => EnginePacketType.Ignored,
        [BinaryPrefix, ..] => EnginePacketType.Binary,
        _ => EnginePacketType.Unknown,
    };
}

/// <summary>What a client's packet is.</summary>
internal enum EnginePacketType
{
    /// <summary>None that there is: the session ends.</summary>
    Unknown,

    /// <summary>The client leaves.</summary>
    Close,

    /// <summary>A ping: only a probe may be one.</summary>
    Ping,

    /// <summary>The answer to our ping.</summary>
    Pong,

    /// <summary>A text message behind the first byte.</summary>
    Message,

    /// <summary>The probed transport takes over.</summary>
    Upgrade,

    /// <summary>One that is the server's to send, and harmless.</summary>
    Ignored,

    /// <summary>A binary message in Base64 behind the first byte.</summary>
    Binary,
}
