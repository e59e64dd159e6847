using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Simulation.Tests.World;

/// <summary>
/// One node's end of the bus. It loses, repeats, delays and reorders what it carries, as <see cref="IBroker"/> allows. What is not in
/// the durable log stays on its node.
/// </summary>
internal sealed class LossyBroker(SimulatedWorld world, Node node) : IBroker
{
    private IBusReceiver? _receiver;

    /// <summary>It need not be asked: what it carries arrives everywhere, or is lost.</summary>
    public bool HasOthers => false;

    public bool IsUp => true;

    public void DeliverTo(IBusReceiver receiver) => _receiver = receiver;

    public void Tell(ControlMessage message)
    {
    }

    public void Watch(ChannelName channel)
    {
    }

    public void Unwatch(ChannelName channel)
    {
    }

    public Task SettledAsync() => Task.CompletedTask;

    public void Carry(IReadOnlyList<Publication> publications)
    {
        foreach (var publication in publications)
        {
            if (publication.Sequence == 0)
            {
                world.Histories.Commit(publication, world.Steps.Done);
                Send(node, publication);
                continue;
            }

            foreach (var receiver in world.Nodes) Send(receiver, publication);
        }
    }

    /// <summary>What has arrived.</summary>
    public void Receive(Publication publication) => _receiver!.Receive([publication]);

    private void Send(Node receiver, Publication publication)
    {
        var what = publication.Draft.ExcludedConnectionId is null ? publication.Draft.Id : "a client's event"; // whose id is random
        if (world.IsFaulty && world.Happens(10)) return;
        for (var copies = world.IsFaulty && world.Happens(10) ? 2 : 1; copies > 0; copies--)
            world.Steps.Add(receiver, $"{what} arrives at {receiver}", () => receiver.Broker.Receive(publication));
    }
}
