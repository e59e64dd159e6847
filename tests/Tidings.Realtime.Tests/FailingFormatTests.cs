using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests;

/// <summary>What one protocol can't say, or whom only a subscription names, must not cost the others anything.</summary>
public sealed class FailingFormatTests
{
    [Fact]
    public async Task An_event_that_one_protocol_cannot_write_reaches_all_readers_of_the_others()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1 });
        var before = host.Connect("1");
        await before.SubscribeAsync("room:1");
        var failing = new TestClient(host, "2", null, format: new FailingFormat());
        await failing.HandleAsync(new SubscribeCommand(1, EngineHost.Name("room:1"), null, null, null));
        var after = host.Connect("3");
        await after.SubscribeAsync("room:1");

        await host.PublishAsync("room:1", "first");
        await host.PublishAsync("room:1", "second");

        await before.SeesEventsAsync("room:1", "first", "second");
        await after.SeesEventsAsync("room:1", "first", "second");
        (await failing.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10))).Code.ShouldBe(1001);
    }

    [Fact]
    public async Task A_channel_is_taken_from_the_member_that_a_subscription_names()
    {
        await using var host = await EngineHost.StartAsync();
        var client = host.Connect(null);
        await client.HandleAsync(new SubscribeCommand(1, EngineHost.Name("club:1"), null, true, null) { Member = new PresenceMember("k1", default) });
        await client.Transport.WaitAsync(lines => lines.Any(line => line.StartsWith("subscribed club:1", StringComparison.Ordinal)), "the subscription");

        (await host.Engine.RevokeAsync(EngineHost.Name("club:1"), "k1")).ShouldBe(1);

        await client.SeesAsync("unsubscribed club:1 access_revoked");
    }

    [Fact]
    public async Task Of_two_connections_with_one_id_the_second_is_refused()
    {
        await using var host = await EngineHost.StartAsync();
        host.Engine.TryConnect(new ClientIdentity("1", null), LineFormat.Instance, new TestTransport(), null, out _, "same").ShouldNotBeNull();

        host.Engine.TryConnect(new ClientIdentity("1", null), LineFormat.Instance, new TestTransport(), null, out var refusal, "same").ShouldBeNull();
        refusal.ShouldNotBeNull();
    }

    private sealed class FailingFormat : IWireFormat
    {
        public int Slot => 1;

        public string Name => "failing";

        public ReadOnlyMemory<byte> Heartbeat => default;

        public bool ExpectsAnswer => false;

        public EncodedPush EncodePush(Publication publication, PublicationForm form) => throw new InvalidOperationException("It cannot be written.");

        public void WritePush(Connection connection, Subscription subscription, Publication publication, EncodedPush push) => throw new InvalidOperationException();

        public void WriteMessage(Connection connection, ServerMessage message)
        {
            // It has nothing to say.
        }
    }
}
