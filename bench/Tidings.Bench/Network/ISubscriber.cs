namespace Tidings.Bench.Network;

/// <summary>What a measurement wants to know of its connections. Called on the loop's thread; a span is valid only during the call.</summary>
internal interface ISubscriber
{
    void OnSubscribed(WebSocketConnection connection);

    /// <param name="connection">Who received it.</param>
    /// <param name="message">One text frame.</param>
    /// <param name="at">When it was read from the socket; frames that one read brought share it.</param>
    void OnMessage(WebSocketConnection connection, ReadOnlySpan<byte> message, long at);

    void OnClosed(WebSocketConnection connection, string why);
}
