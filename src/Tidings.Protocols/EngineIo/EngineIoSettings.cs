namespace Tidings.Protocols.EngineIo;

/// <summary>The times and limits of an Engine.IO endpoint. Those of the handshake are told to the client.</summary>
internal sealed record EngineIoSettings
{
    /// <summary>How long after the last pong the next ping is sent.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>How long a client may take to answer a ping.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a WebSocket may take to take over from polling.</summary>
    public TimeSpan UpgradeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a session that we closed waits for a poll to tell it so.</summary>
    public TimeSpan FarewellTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the last bytes and the close of a WebSocket may take.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a message that has begun may take to arrive.</summary>
    public TimeSpan MessageTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest message and the longest body of a client, in bytes.</summary>
    public required int MaxPayload { get; init; }

    /// <summary>The most bytes that may wait in a session.</summary>
    public int OutboundBytes { get; init; } = 1024 * 1024;

    /// <summary>How often deadlines are looked at: one timer for all sessions.</summary>
    public TimeSpan Resolution
    {
        get
        {
            var shortest = PingInterval < PingTimeout ? PingInterval : PingTimeout;
            return TimeSpan.FromMilliseconds(Math.Clamp(shortest.TotalMilliseconds / 20, 10, 1_000));
        }
    }
}
