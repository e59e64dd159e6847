using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Brokers;

/// <summary>The broker of an installation with one node: what is carried arrives at once, on the caller's thread.</summary>
internal sealed class InProcessBroker : IBroker
{
    private Action<IReadOnlyList<Publication>>? _receiver;

    /// <inheritdoc />
    public void Carry(IReadOnlyList<Publication> publications) => _receiver?.Invoke(publications);

    /// <inheritdoc />
    public void DeliverTo(Action<IReadOnlyList<Publication>> receiver) => _receiver = receiver;
}
