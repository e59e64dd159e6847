using System.Text;
using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>What does not conform gets the answer of docs/protocol.md, whoever sends it and however often.</summary>
public sealed class BadInputTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const int MessageLimit = 64 * 1024;

    private readonly ServerProcess _server = running.Server;

    /// <summary>Messages that end the connection: the frame's first byte, its payload, the close code.</summary>
    private static readonly Dictionary<string, (byte First, byte[] Payload, int Code)> Fatal = new()
    {
        ["not JSON"] = (0x81, "hello"u8.ToArray(), 4400),
        ["half of JSON"] = (0x81, """{"type":"ping" """u8.ToArray(), 4400),
        ["two documents"] = (0x81, """{"type":"ping"}{"type":"ping"}"""u8.ToArray(), 4400),
        ["an array"] = (0x81, """[{"type":"ping"}]"""u8.ToArray(), 4400),
        ["a number"] = (0x81, "1"u8.ToArray(), 4400),
        ["nothing"] = (0x81, [], 4400),
        ["no type"] = (0x81, "{}"u8.ToArray(), 4400),
        ["a type that is no text"] = (0x81, """{"type":1}"""u8.ToArray(), 4400),
        ["a deep hole"] = (0x81, Encoding.ASCII.GetBytes("{\"type\":\"ping\",\"x\":" + new string('[', 30_000) + new string(']', 30_000) + "}"), 4400),
        ["binary"] = (0x82, """{"type":"ping"}"""u8.ToArray(), 1003),
        ["not UTF-8"] = (0x81, [.. "{\"type\":\""u8, 0xC3, 0x28, .. "\"}"u8], 1007),
        ["UTF-8 cut off"] = (0x81, [.. "{\"type\":\"ping\",\"x\":\"\""u8, 0xE2, 0x82], 1007),
        ["a surrogate in UTF-8"] = (0x81, [.. "{\"type\":\""u8, 0xED, 0xA0, 0x80, .. "\"}"u8], 1007),
        ["one byte too many"] = (0x81, Encoding.ASCII.GetBytes(Ping(MessageLimit + 1)), 1009),
        ["a reserved bit"] = (0xC1, """{"type":"ping"}"""u8.ToArray(), 1002),
        ["an unknown opcode"] = (0x83, """{"type":"ping"}"""u8.ToArray(), 1002),
        ["a continuation of nothing"] = (0x80, """{"type":"ping"}"""u8.ToArray(), 1002),
        ["a long ping"] = (0x89, new byte[126], 1002),
    };

    public static TheoryData<string> FatalNames { get; } = [.. Fatal.Keys];

    /// <summary>Messages that are answered with an error and nothing more: message, code.</summary>
    public static TheoryData<string, string> Harmless { get; } = new()
    {
        { """{"id":900,"type":"dance"}""", "unknown_type" },
        { """{"id":900,"type":""}""", "unknown_type" },
        { """{"id":900,"type":"PING"}""", "unknown_type" },
        { """{"id":900,"type":"subscribe"}""", "bad_request" },
        { """{"id":900,"type":"subscribe","channel":7}""", "bad_request" },
        { """{"id":900,"type":"subscribe","channel":null}""", "bad_request" },
        { """{"id":900,"type":"subscribe","channel":""}""", "bad_request" },
        { """{"id":900,"type":"subscribe","channel":"creator:a b"}""", "bad_request" },
        { """{"id":900,"type":"subscribe","channel":{"type":"feed"}}""", "bad_request" },
        { """{"id":900,"type":"subscribe","channel":"nothing:1"}""", "unknown_channel" },
        { """{"id":900,"type":"subscribe","channel":"creator:1","since":5}""", "bad_request" },
        { """{"id":900,"type":"unsubscribe","channel":"creator:1"}""", "not_subscribed" },
        { """{"id":900,"type":"publish","channel":"creator:1","event":"post_created","data":{}}""", "forbidden" },
        { """{"id":900,"type":"history","channel":"creator:1","limit":"all"}""", "bad_request" },
        { """{"id":900,"type":"auth"}""", "bad_request" },
    };

    [Theory]
    [MemberData(nameof(FatalNames))]
    public async Task A_message_that_cannot_be_understood_ends_the_connection_with_its_code(string what)
    {
        var (first, payload, code) = Fatal[what];
        using var bad = await RawWebSocket.OpenAsync(_server.Address, Token("bad"));
        await bad.SendFrameAsync(first, payload);

        var close = await bad.ReadToCloseAsync();

        close.Code.ShouldBe(code, $"{what}: {close.Reason}");
        if (code == 4400) close.Reason.ShouldNotBeEmpty(what);
    }

    [Fact]
    public async Task The_three_ways_of_not_being_a_message_have_three_reasons()
    {
        var reasons = new List<string>();
        foreach (var text in new[] { "hello", "[]", "{}" })
        {
            await using var client = await NativeClient.ConnectAsync(_server.Address, Token("bad"));
            await client.SendAsync(text);
            reasons.Add((await client.WaitForCloseAsync()).Reason);
        }

        reasons.ShouldBeUnique();
    }

    [Theory]
    [MemberData(nameof(Harmless))]
    public async Task A_message_that_is_merely_wrong_gets_an_error_and_the_connection_stays(string message, string code)
    {
        await using var client = await NativeClient.ConnectAsync(_server.Address, Token("wrong"));
        await client.SendAsync(message);

        var answer = await client.WaitForAsync(it => it.IsOfType("error"), "an error");

        answer.Text("code").ShouldBe(code);
        answer.GetProperty("id").GetInt32().ShouldBe(900);
        answer.Text("message").ShouldNotBeNullOrEmpty();
        (await client.RequestAsync(new JsonObject { ["type"] = "ping" })).Text("type").ShouldBe("pong");
    }

    [Fact]
    public async Task A_message_of_exactly_the_limit_is_taken()
    {
        await using var client = await NativeClient.ConnectAsync(_server.Address, Token("big"));
        await client.SendAsync(Ping(MessageLimit));
        await client.WaitForAsync(message => message.IsOfType("pong"), "pong");
    }

    [Fact]
    public async Task A_message_in_many_pieces_is_counted_as_a_whole()
    {
        using var raw = await RawWebSocket.OpenAsync(_server.Address, Token("pieces"));
        await raw.SendFrameAsync(0x01, Encoding.ASCII.GetBytes(Ping(32 * 1024)));
        await raw.SendFrameAsync(0x00, new byte[20 * 1024]);
        await raw.SendFrameAsync(0x80, new byte[20 * 1024]);
        (await raw.ReadToCloseAsync()).Code.ShouldBe(1009);
    }

    [Fact]
    public async Task A_frame_that_announces_more_than_it_may_is_refused_before_it_comes()
    {
        using var raw = await RawWebSocket.OpenAsync(_server.Address, Token("liar"));
        await raw.SendFrameAsync(0x81, "{"u8, declaredLength: long.MaxValue);
        (await raw.ReadToCloseAsync()).Code.ShouldBe(1009);
    }

    [Fact]
    public async Task A_frame_without_a_mask_is_a_protocol_error()
    {
        using var raw = await RawWebSocket.OpenAsync(_server.Address, Token("unmasked"));
        await raw.SendFrameAsync(0x81, """{"type":"ping"}"""u8, isMasked: false);
        (await raw.ReadToCloseAsync()).Code.ShouldBe(1002);
    }

    [Fact]
    public async Task Thousands_of_bad_clients_cost_no_memory_and_disturb_nobody()
    {
        using var author = await Account.OfHostAsync(_server, "author");
        await using var reader = await NativeClient.ConnectAsync(author);
        await reader.SubscribeAsync(author.Creator);
        await AbuseAsync(100); // so that code is compiled and buffers are there
        var before = _server.Status;

        var posts = TestRun.Number(50, 500);
        var posting = Task.Run(async () =>
        {
            for (var number = 0; number < posts; number++) await author.PostAsync($"among them {number}");
        });
        await AbuseAsync(TestRun.Number(2_000, 20_000));
        await posting;

        await reader.WaitForAsync(message => message.PostText() == $"among them {posts - 1}", "the last post");
        reader.EventsOf(author.Creator).Select(happened => happened.PostText()).ShouldBe(Enumerable.Range(0, posts).Select(number => $"among them {number}"));
        await Eventually.HoldsAsync(() => _server.Status.Files < before.Files + 50, "their sockets are closed");
        (_server.Status.ResidentBytes - before.ResidentBytes).ShouldBeLessThan(100 * 1024 * 1024);
        _server.Status.Threads.ShouldBeLessThan(before.Threads + 32);
    }

    private async Task AbuseAsync(int clients)
    {
        var messages = Fatal.Values.ToList();
        await Parallel.ForEachAsync(Enumerable.Range(0, clients), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (number, _) =>
        {
            using var bad = await RawWebSocket.OpenAsync(_server.Address, Token($"bad-{number % 50}"));
            var (first, payload, _) = messages[number % messages.Count];
            await bad.SendFrameAsync(first, payload);
            if (number % 3 != 0) await bad.ReadToCloseAsync(); // the rest hang up on the answer
        });
    }

    private static string Ping(int bytes)
    {
        const string Start = """{"type":"ping","id":1,"padding":" """;
        return Start + new string('x', bytes - Start.Length - 2) + "\"}";
    }

    private string Token(string userId) => UserToken.For(userId, _server.AuthSecret);
}
