using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Brokers;

/// <summary>
/// Carries publications and control messages between nodes. It may lose, repeat and reorder: positions and the log repair that. All
/// members are safe for all threads and none waits for another node or throws for one.
/// </summary>
internal interface IBroker
{
    /// <summary>Whether there may be other nodes. If not, nothing but <see cref="Carry"/> does anything.</summary>
    bool HasOthers { get; }

    /// <summary>Whether other nodes hear this one and this one hears them, as far as is known.</summary>
    bool IsUp { get; }

    /// <summary>
    /// Gives publications to this node's receiver at once, on the caller's thread, and sends them to the other nodes that watch their channels.
    /// </summary>
    void Carry(IReadOnlyList<Publication> publications);

    /// <summary>Tells all other nodes something.</summary>
    void Tell(ControlMessage message);

    /// <summary>From now on what other nodes carry in a channel arrives here, until <see cref="Unwatch"/> was called as often.</summary>
    void Watch(ChannelName channel);

    /// <summary>Takes back one <see cref="Watch"/>. What is on its way may still arrive.</summary>
    void Unwatch(ChannelName channel);

    /// <summary>
    /// Completes when all that was watched by now arrives; also while the bus is down, since <see cref="IBusReceiver.CameBack"/> follows, and
    /// after a moment in any case. Never fails.
    /// </summary>
    Task SettledAsync();

    /// <summary>Names who takes what arrives, and begins. Called once, before anything else.</summary>
    void DeliverTo(IBusReceiver receiver);
}

/// <summary>Takes what a broker brings. Any thread.</summary>
internal interface IBusReceiver
{
    /// <summary>Takes what this node carries.</summary>
    void Receive(IReadOnlyList<Publication> publications);

    /// <summary>Takes what another node carried, in the order in which that node carried it, as far as it arrives at all.</summary>
    void ReceiveFromOthers(IReadOnlyList<Publication> publications);

    /// <summary>Takes what another node tells.</summary>
    void Hear(ControlMessage message);

    /// <summary>The bus is back, and what was carried in between is lost.</summary>
    void CameBack();
}
