using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;
using Tidings.Testing;

namespace Tidings.Scaleout.Tests.Support;

/// <summary>What every broker between nodes must do while its bus is up.</summary>
public abstract class BrokerContract : IAsyncLifetime
{
    private readonly ChannelName _channel = new("post", Guid.NewGuid().ToString("N"));
    private readonly RecordingReceiver _hereReceiver = new();
    private readonly RecordingReceiver _thereReceiver = new();
    private IBroker _here = null!;
    private IBroker _there = null!;

    public async ValueTask InitializeAsync()
    {
        await PrepareAsync();
        (_here, _there) = (Create(), Create());
        _here.DeliverTo(_hereReceiver);
        _there.DeliverTo(_thereReceiver);
        await Eventually.HoldsAsync(() => _here.IsUp && _there.IsUp, "both brokers are up");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var broker in new[] { _here, _there })
            if (broker is IAsyncDisposable disposable) await disposable.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Has ready what the brokers need.</summary>
    protected virtual Task PrepareAsync() => Task.CompletedTask;

    /// <summary>Makes a broker of a node of its own, which begins when it is told whom to deliver to.</summary>
    private protected abstract IBroker Create();

    [Fact]
    public void What_is_carried_is_delivered_here_at_once_on_the_callers_thread()
    {
        _here.Carry([Passing("a"), Passing("b")]);

        _hereReceiver.Own.ShouldBe(["a", "b"]);
        _hereReceiver.Thread.ShouldBe(Environment.CurrentManagedThreadId);
    }

    [Fact]
    public async Task What_is_carried_arrives_once_and_in_order_where_the_channel_is_watched()
    {
        _there.Watch(_channel);
        await _there.SettledAsync();

        for (var number = 0; number < 500; number += 2) _here.Carry([Passing($"e{number}"), Passing($"e{number + 1}")]);
        await Eventually.HoldsAsync(() => _thereReceiver.Others.Count >= 500, "500 events arrive");

        _thereReceiver.Others.ShouldBe(Enumerable.Range(0, 500).Select(number => $"e{number}"));
    }

    [Fact]
    public async Task A_node_does_not_hear_itself()
    {
        foreach (var broker in new[] { _here, _there })
        {
            broker.Watch(_channel);
            await broker.SettledAsync();
        }

        _here.Tell(new AskForHeads());
        _here.Carry([Passing("a")]);
        await Eventually.HoldsAsync(() => _thereReceiver.Others.Count > 0 && _thereReceiver.Heard.Count > 0, "both arrive there");
        _there.Tell(new AskForHeads());
        _there.Carry([Passing("b")]);
        await Eventually.HoldsAsync(() => _hereReceiver.Others.Count > 0 && _hereReceiver.Heard.Count > 0, "both arrive here");

        _hereReceiver.Others.ShouldBe(["b"]);
        _hereReceiver.Heard.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_is_told_reaches_every_other_node_once()
    {
        ControlMessage[] told =
        [
            new DisconnectUser("42", null, CloseReason.Disconnected, null), new RevokeChannel(_channel, null, DateTimeOffset.UnixEpoch), new RereadMember("42"),
        ];
        foreach (var message in told) _here.Tell(message);

        await Eventually.HoldsAsync(() => _thereReceiver.Heard.Count >= told.Length, "all is heard");
        _thereReceiver.Heard.ShouldBe(told);
    }

    [Fact]
    public async Task Whoever_watches_twice_and_stops_once_still_watches()
    {
        _there.Watch(_channel);
        _there.Watch(_channel);
        _there.Unwatch(_channel);
        await _there.SettledAsync();

        _here.Carry([Passing("a")]);

        await Eventually.HoldsAsync(() => _thereReceiver.Others.Count == 1, "it arrives");
    }

    [Fact]
    public async Task Two_thousand_channels_are_watched_as_soon_as_it_has_settled()
    {
        var channels = Enumerable.Range(0, 2_000).Select(number => new ChannelName("post", $"{_channel.Id}-{number}")).ToList();
        foreach (var channel in channels) _there.Watch(channel);
        await _there.SettledAsync();

        foreach (var channel in channels) _here.Carry([Passing(channel.Id, channel)]);

        await Eventually.HoldsAsync(() => _thereReceiver.Others.Count == channels.Count, "one event in each arrives");
    }

    private protected Publication Passing(string id, ChannelName? channel = null) => new(new PublicationDraft
    {
        Channel = channel ?? _channel,
        Type = "said",
        Id = id,
        Timestamp = DateTimeOffset.UnixEpoch,
        Payload = "{}"u8.ToArray(),
    });
}
