using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Polling;

/// <summary>A poll has no bytes on the way: the request writes its one answer. What is left is the news of the end.</summary>
internal sealed class PollTransport(PollCollector collector) : ITransport
{
    /// <inheritdoc />
    public ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc />
    public ValueTask CloseAsync(CloseReason reason, bool writable)
    {
        collector.End(reason);
        return ValueTask.CompletedTask;
    }
}
