namespace Tidings.Protocols.WebSockets;

/// <summary>Over the stream of an upgraded request, which TLS, HTTP/2 or anything else may be behind; it flushes each write.</summary>
/// <param name="stream">The upgraded stream.</param>
/// <param name="receiver">Hears the peer's close.</param>
/// <param name="abort">Cuts the link without a word.</param>
/// <param name="closeTimeout">How long saying goodbye may take.</param>
/// <param name="clock">The time.</param>
internal sealed class StreamTransport(Stream stream, WebSocketReceiver receiver, Action abort, TimeSpan closeTimeout, TimeProvider clock)
    : WebSocketTransport(receiver, closeTimeout, clock)
{
    /// <inheritdoc />
    protected override ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => stream.WriteAsync(bytes, cancellationToken);

    /// <inheritdoc />
    protected override void Abort() => abort();
}
