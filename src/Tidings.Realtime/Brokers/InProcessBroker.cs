using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Brokers;

/// <summary>The broker of an installation with one node: what is carried arrives at once, on the caller's thread.</summary>
internal sealed class InProcessBroker : IBroker
{
    private IBusReceiver? _receiver;

    /// <inheritdoc />
    public bool HasOthers => false;

    /// <inheritdoc />
    public bool IsUp => true;

    /// <inheritdoc />
    public void Carry(IReadOnlyList<Publication> publications) => _receiver?.Receive(publications);

    /// <inheritdoc />
    public void Tell(ControlMessage message)
    {
    }

    /// <inheritdoc />
    public void Watch(ChannelName channel)
    {
    }

    /// <inheritdoc />
    public void Unwatch(ChannelName channel)
    {
    }

    /// <inheritdoc />
    public Task SettledAsync() => Task.CompletedTask;

    /// <inheritdoc />
    public void DeliverTo(IBusReceiver receiver) => _receiver = receiver;
}
