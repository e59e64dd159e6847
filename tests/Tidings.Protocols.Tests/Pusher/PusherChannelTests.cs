using System.Text.Json;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Xunit;
using static Tidings.Protocols.Tests.Pusher.PusherClient;

namespace Tidings.Protocols.Tests.Pusher;

/// <summary>Channels of Pusher's names: members, last events, events of clients.</summary>
public sealed class PusherChannelTests
{
    private static readonly RealtimeOptions Options = new() { Shards = 2 };

    [Theory]
    [InlineData("""{"user_id":"10","user_info":{"name":"é"}}""", "10", """{"name":"é"}""")]
    [InlineData("""{ "user_id" : 12345678901234567890 }""", "12345678901234567890", "null")]
    [InlineData("""{"user_id":"__proto__","user_info":null}""", "__proto__", "null")]
    [InlineData("""{"user_id":"a \"b\"","user_info":[1]}""", "a \"b\"", "[1]")]
    public async Task A_member_is_whom_the_host_has_signed(string channelData, string id, string info)
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        using var answer = JsonDocument.Parse(await client.SubscribeAsync("presence-a", channelData));
        using var data = JsonDocument.Parse(answer.RootElement.GetProperty("data").GetString()!);
        var presence = data.RootElement.GetProperty("presence");
        presence.GetProperty("ids").EnumerateArray().Select(static each => each.GetString()).ShouldBe([id]);
        presence.GetProperty("hash").GetProperty(id).GetRawText().ShouldBe(info);
        presence.GetProperty("count").GetInt32().ShouldBe(1);
    }

    [Theory]
    [InlineData(null, "A presence channel needs channel_data with a user_id, or a signed-in user.")]
    [InlineData("{}", "channel_data must be an object with the user_id of a user.")]
    [InlineData("[]", "channel_data must be an object with the user_id of a user.")]
    [InlineData("""{"user_id":null}""", "channel_data must be an object with the user_id of a user.")]
    [InlineData("""{"user_id":""}""", "channel_data must be an object with the user_id of a user.")]
    [InlineData("not json", "channel_data must be an object with the user_id of a user.")]
    public async Task Nobody_is_no_member(string? channelData, string error)
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        (await client.SubscribeAsync("presence-a", channelData)).ShouldBe(Refused("presence-a", "AuthError", error, 401));
    }

    [Fact]
    public async Task The_signed_in_user_is_a_member_without_being_named()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        await client.SignInAsync("""{"id":"42","user_info":{"n":1}}""");
        (await client.SubscribeAsync("presence-a")).ShouldBe(
            """{"event":"pusher_internal:subscription_succeeded","data":"{\"presence\":{\"ids\":[\"42\"],\"hash\":{\"42\":{\"n\":1}},\"count\":1}}","channel":"presence-a"}""");
    }

    [Fact]
    public async Task A_presence_channel_has_at_most_a_hundred_members()
    {
        await using var server = await StartServerAsync(Options);
        var clients = new List<PusherClient>();
        for (var number = 0; number < 100; number++)
        {
            clients.Add(await ConnectAsync(server));
            (await clients[^1].SubscribeAsync("presence-a", $$"""{"user_id":"{{number}}"}""")).ShouldContain("subscription_succeeded");
        }

        await using var late = await ConnectAsync(server);
        (await late.SubscribeAsync("presence-a", """{"user_id":"100"}""")).ShouldBe(Refused("presence-a", "LimitReached", "A presence channel has at most 100 members.", 4004));
        (await late.SubscribeAsync("presence-a", """{"user_id":"7"}""")).ShouldContain("subscription_succeeded");
        foreach (var client in clients) await client.DisposeAsync();
    }

    [Fact]
    public async Task Info_has_at_most_a_kilobyte()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        var channelData = $$"""{"user_id":"1","user_info":"{{new string('x', 1_023)}}"}""";
        (await client.SubscribeAsync("presence-a", channelData)).ShouldBe(Refused("presence-a", "LimitReached", "user_info may have at most 1024 bytes.", 4004));
    }

    [Fact]
    public async Task A_cache_channel_gives_the_last_event_before_what_comes_live()
    {
        await using var server = await StartServerAsync(Options);
        await using var first = await ConnectAsync(server);
        (await first.AskAsync(Subscription("cache-a", ""))).ShouldBe(Succeeded("cache-a"));
        (await first.ReceiveAsync()).ShouldBe("""{"event":"pusher:cache_miss","data":"{}","channel":"cache-a"}""");
        for (var number = 1; number <= 3; number++) await PublishAsync(server, "cache-a", "set", $$"""{"n":{{number}}}""");

        await using var second = await ConnectAsync(server);
        (await second.AskAsync(Subscription("cache-a", ""))).ShouldBe(Succeeded("cache-a"));
        await PublishAsync(server, "cache-a", "set", """{"n":4}""");
        (await second.ReceiveAsync()).ShouldBe("""{"event":"set","data":"{\"n\":3}","channel":"cache-a"}""");
        (await second.ReceiveAsync()).ShouldBe("""{"event":"set","data":"{\"n\":4}","channel":"cache-a"}""");
    }

    [Theory]
    [InlineData("{\"a\":1}", "{\"a\":1}")]
    [InlineData("\"text\"", "\"text\"")]
    [InlineData("7", "7")]
    [InlineData(null, "null")]
    public async Task Events_of_clients_keep_the_type_of_their_data_and_are_not_cached(string? data, string received)
    {
        await using var server = await StartServerAsync(Options);
        await using var sender = await ConnectAsync(server);
        await using var reader = await ConnectAsync(server);
        foreach (var client in (PusherClient[])[sender, reader])
        {
            await client.SubscribeAsync("private-cache-a");
            (await client.ReceiveAsync()).ShouldContain("cache_miss");
        }

        await sender.SendAsync(data is null ? """{"event":"client-x","channel":"private-cache-a"}""" : $$"""{"event":"client-x","channel":"private-cache-a","data":{{data}},"user_id":"forged"}""");

        (await reader.ReceiveAsync()).ShouldBe($$"""{"event":"client-x","data":{{received}},"channel":"private-cache-a"}""");
        await using var late = await ConnectAsync(server);
        await late.SubscribeAsync("private-cache-a");
        (await late.ReceiveAsync()).ShouldContain("cache_miss");
    }

    [Fact]
    public async Task An_event_of_a_client_has_at_most_ten_kilobytes_and_ten_come_a_second()
    {
        await using var server = await StartServerAsync(Options);
        await using var client = await ConnectAsync(server);
        await client.SubscribeAsync("private-a");
        (await client.AskAsync($$"""{"event":"client-x","channel":"private-a","data":"{{new string('x', 10_239)}}"}"""))
            .ShouldBe(Error("The data of a client event may have at most 10240 bytes."));
        for (var number = 0; number < 11; number++) await client.SendAsync("""{"event":"client-x","channel":"private-a"}""");
        (await client.ReceiveAsync()).ShouldBe(Error("A connection may send 10 client events a second.", "4301"));
    }

    [Fact]
    public async Task An_app_may_take_no_events_of_clients()
    {
        await using var server = await StartServerAsync(Options, new Protocols.Pusher.PusherApp("app", "key", "secret") { TakesClientEvents = false });
        await using var client = await ConnectAsync(server);
        await client.SubscribeAsync("private-a");
        (await client.AskAsync("""{"event":"client-x","channel":"private-a"}""")).ShouldBe(Error("This app takes no client events."));
    }

    private static async Task PublishAsync(TestServer server, string channel, string type, string payload)
    {
        server.Engine.Catalog.ParseAny(channel, out var name).ShouldBe(ChannelNameError.None);
        var now = TimeProvider.System.GetUtcNow();
        await server.Engine.Publisher.PublishAsync(
            new PublicationDraft { Channel = name!, Type = type, Id = Guid.CreateVersion7(now).ToString("N"), Timestamp = now, Payload = System.Text.Encoding.UTF8.GetBytes(payload) },
            CancellationToken.None);
    }
}
