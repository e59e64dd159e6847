namespace Tidings.Protocols.WebSockets;

/// <summary>What a client's bytes amount to.</summary>
internal enum InboundKind : byte
{
    /// <summary>Bytes came, but no message is complete.</summary>
    Partial,

    /// <summary>A whole message of valid UTF-8.</summary>
    Text,

    /// <summary>A whole binary message.</summary>
    Binary,

    /// <summary>A ping; the payload belongs into the pong.</summary>
    Ping,

    /// <summary>A pong.</summary>
    Pong,

    /// <summary>The peer's close frame: the code is 0 if it had none. Nothing follows.</summary>
    Close,

    /// <summary>The peer broke the protocol or a limit: the code says with what to close.</summary>
    Violation,

    /// <summary>The link is gone. Nothing follows.</summary>
    End,
}

/// <summary>One thing that a client said.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Payload">Its bytes, unmasked; good until the next one is read.</param>
/// <param name="Code">A close code, of the peer's close or for ours.</param>
/// <param name="Reason">Why, for a violation.</param>
internal readonly record struct InboundMessage(InboundKind Kind, Memory<byte> Payload = default, int Code = 0, string Reason = "");
