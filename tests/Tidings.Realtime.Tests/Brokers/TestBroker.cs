using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests;

/// <summary>Carries at once, except what a test tells it to lose, and again what it tells it to repeat. With a bus, to other nodes too.</summary>
internal sealed class TestBroker(TestBus? bus = null) : IBroker
{
    private readonly Dictionary<ChannelName, int> _watched = [];
    private IBusReceiver? _receiver;

    public Func<Publication, bool> Loses { get; set; } = _ => false;

    public bool Repeats { get; set; }

    public bool HasOthers => bus is not null;

    public bool IsUp => bus is null || !bus.IsDown;

    /// <summary>The channels whose publications arrive from other nodes.</summary>
    public IReadOnlyList<ChannelName> Watched
    {
        get
        {
            lock (_watched) return [.. _watched.Where(static channel => channel.Value > 0).Select(static channel => channel.Key)];
        }
    }

    public void Carry(IReadOnlyList<Publication> publications)
    {
        Publication[] arriving = [.. publications.Where(publication => !Loses(publication))];
        if (arriving.Length == 0) return;
        _receiver?.Receive(arriving);
        if (Repeats) _receiver?.Receive(arriving);
        bus?.Carry(this, arriving);
    }

    public void Tell(ControlMessage message) => bus?.Tell(this, message);

    public void Watch(ChannelName channel)
    {
        lock (_watched) _watched[channel] = _watched.GetValueOrDefault(channel) + 1;
    }

    public void Unwatch(ChannelName channel)
    {
        lock (_watched) _watched[channel]--;
    }

    /// <summary>When what is watched arrives.</summary>
    public Task Settled { get; set; } = Task.CompletedTask;

    public Task SettledAsync() => Settled;

    public void DeliverTo(IBusReceiver receiver) => _receiver = receiver;

    internal void Arrive(IReadOnlyList<Publication> publications)
    {
        var watched = Watched;
        Publication[] wanted = [.. publications.Where(publication => watched.Contains(publication.Channel))];
        if (wanted.Length > 0) _receiver!.ReceiveFromOthers(wanted);
    }

    internal void Arrive(ControlMessage message) => _receiver!.Hear(message);

    internal void ComeBack() => _receiver!.CameBack();
}
