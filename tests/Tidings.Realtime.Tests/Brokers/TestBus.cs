using System.Buffers;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests;

/// <summary>A bus in memory: every message goes through its bytes, at once, unless the test loses it.</summary>
internal sealed class TestBus
{
    private readonly List<TestBroker> _brokers = [];

    /// <summary>Loses everything, until <see cref="ComeBack"/>.</summary>
    public bool IsDown { get; set; }

    /// <summary>Which publications do not arrive anywhere.</summary>
    public Func<Publication, bool> Loses { get; set; } = _ => false;

    /// <summary>What nodes have told.</summary>
    public List<ControlMessage> Told { get; } = [];

    public TestBroker Join()
    {
        var broker = new TestBroker(this);
        _brokers.Add(broker);
        return broker;
    }

    public void ComeBack()
    {
        IsDown = false;
        foreach (var broker in _brokers) broker.ComeBack();
    }

    public void Carry(TestBroker from, IReadOnlyList<Publication> publications)
    {
        Publication[] arriving = [.. publications.Where(publication => !Loses(publication))];
        if (IsDown || arriving.Length == 0) return;
        foreach (var broker in _brokers.Where(broker => broker != from)) broker.Arrive(Pass(new BusMessage("n", 1, arriving, [])).Publications);
    }

    public void Tell(TestBroker from, ControlMessage message)
    {
        if (IsDown) return;
        lock (Told) Told.Add(message);
        foreach (var broker in _brokers.Where(broker => broker != from)) broker.Arrive(Pass(new BusMessage("n", 1, [], [message])).Control[0]);
    }

    private static BusMessage Pass(BusMessage message)
    {
        var bytes = new ArrayBufferWriter<byte>();
        BusCodec.Encode(message, bytes);
        BusCodec.Decode(bytes.WrittenSpan, out var arrived).ShouldBe(BusVerdict.Message);
        return arrived!;
    }
}
