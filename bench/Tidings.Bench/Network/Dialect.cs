namespace Tidings.Bench.Network;

/// <summary>
/// What one server's clients say over their WebSocket: the upgrade, how to subscribe, and which messages are events. Holds nothing of a single
/// connection, so one serves a whole fleet.
/// </summary>
internal abstract class Dialect
{
    /// <summary>
    /// Events are all as long as the first and are not looked at: their bytes are discarded in the kernel, and counted. Only for a server that
    /// sends nothing else.
    /// </summary>
    internal bool CountsOnly { get; init; }

    /// <summary>Path and query of the upgrade.</summary>
    internal virtual string Path(int number) => "/";

    /// <summary>Header fields of the upgrade beyond those of every WebSocket, each with its line's end.</summary>
    internal virtual string Fields(int number) => "";

    /// <summary>The 101 has arrived.</summary>
    internal abstract void OnUpgraded(WebSocketConnection connection);

    /// <summary>A message before the subscription was confirmed; this is who confirms it.</summary>
    internal virtual void OnReply(WebSocketConnection connection, ReadOnlySpan<byte> message)
    {
    }

    /// <summary>A message after it. Each event in it is handed on; whatever else a client must answer is answered.</summary>
    internal virtual void OnMessage(WebSocketConnection connection, ReadOnlySpan<byte> message, long at) => connection.HandOn(message, at);
}
