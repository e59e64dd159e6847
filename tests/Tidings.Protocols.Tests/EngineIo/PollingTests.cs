using System.Net;
using System.Text;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Tidings.Realtime.Connections;
using Xunit;

namespace Tidings.Protocols.Tests.EngineIo;

public sealed class PollingTests
{
    private const char Separator = '\x1e';

    [Fact]
    public async Task Packets_of_one_post_are_dealt_with_in_order()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        await client.PostAsync($"""421["subscribe","room:a"]{Separator}422["publish","room:a","x",1]{Separator}423["presence","room:a"]""");

        var body = "";
        while (!body.Contains("433[", StringComparison.Ordinal)) body += Separator + await client.NextAsync();
        body.Split(Separator).Where(static packet => packet.StartsWith("43", StringComparison.Ordinal)).Select(static packet => packet[..3]).ShouldBe(["431", "432", "433"]);
    }

    [Fact]
    public async Task Events_that_wait_are_one_answer_in_order()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        await client.PostAsync("""421["subscribe","room:a"]""");
        while (!(await client.NextAsync()).Contains("431[", StringComparison.Ordinal))
        {
        }

        for (var number = 0; number < 20; number++) await server.PublishAsync("room:a", "count", $"{number}");
        var seen = new List<string>();
        while (seen.Count < 20) seen.AddRange((await client.NextAsync()).Split(Separator));
        seen.Select(static packet => packet.Split(',')[1]).ShouldBe(Enumerable.Range(0, 20).Select(static number => $"{number}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\x1e")]
    [InlineData("4hello\x1e")]
    [InlineData("\x1e3")]
    [InlineData("3\x1e\x1e3")]
    [InlineData("abc")]
    [InlineData("2")]
    [InlineData("2probe")]
    [InlineData("b!!!")]
    [InlineData("bAQ")]
    [InlineData("11")]
    public async Task A_body_that_is_none_ends_the_session(string body)
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.OpenAsync(server);
        (await client.PostAsync(body)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await client.PollAsync()).ShouldBe((HttpStatusCode.BadRequest, """{"code":1,"message":"Session ID unknown"}"""));
    }

    [Fact]
    public async Task Bytes_that_are_not_text_end_the_session()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.OpenAsync(server);
        using var content = new ByteArrayContent([(byte)'4', 0xFF, 0xFE]);
        using var answer = await client.Http.PostAsync(client.Url, content);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await client.PollAsync()).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_binary_body_ends_the_session()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.OpenAsync(server);
        (await client.PostAsync("3", "application/octet-stream")).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await client.PollAsync()).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("é")]
    public async Task The_limit_is_in_bytes_and_what_is_over_it_ends_nothing(string character)
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { MessageBytes = 1_000 });
        using var client = await PollingClient.ReadyAsync(server);
        string Fill(int bytes)
        {
            const string head = "427[\"nothing\",\"", tail = "\"]";
            var room = bytes - head.Length - tail.Length;
            var (size, count) = (Encoding.UTF8.GetByteCount(character), room / Encoding.UTF8.GetByteCount(character));
            return head + string.Concat(Enumerable.Repeat(character, count)) + new string('a', room - (count * size)) + tail;
        }

        Encoding.UTF8.GetByteCount(Fill(1_000)).ShouldBe(1_000);
        (await client.PostAsync(Fill(1_001))).Status.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await client.PostAsync(Fill(1_000))).ShouldBe((HttpStatusCode.OK, "ok"));
        (await client.PollAsync()).Body.ShouldStartWith("437[");
    }

    [Fact]
    public async Task A_second_poll_ends_the_session_and_the_first_is_told()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.OpenAsync(server);
        var answers = await Task.WhenAll(client.PollAsync(), client.PollAsync());
        answers.Select(static answer => answer.Status).ShouldBe([HttpStatusCode.OK, HttpStatusCode.BadRequest], ignoreOrder: true);
        answers.Single(static answer => answer.Status == HttpStatusCode.OK).Body.ShouldBe("1");
        (await client.PollAsync()).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_poll_that_is_given_up_ends_the_session_and_its_connection()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        server.Engine.ConnectionCount.ShouldBe(1);
        using var giveUp = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Should.ThrowAsync<OperationCanceledException>(() => client.Http.GetAsync(client.Url, giveUp.Token));
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "the connection ends");
        (await client.PollAsync()).Status.ShouldBe(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_client_that_leaves_gets_its_held_poll_back_empty()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        var held = client.PollAsync();
        (await client.PostAsync("41")).ShouldBe((HttpStatusCode.OK, "ok"));
        (await client.PostAsync("1")).ShouldBe((HttpStatusCode.OK, "ok"));
        (await held).ShouldBe((HttpStatusCode.OK, "6"));
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "the connection ends");
    }

    [Fact]
    public async Task Whoever_is_sent_away_learns_it_from_the_next_poll()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        server.Engine.Disconnect("42", null, CloseReason.Disconnected);
        var body = "";
        while (!body.EndsWith($"{Separator}1", StringComparison.Ordinal)) body += Separator + await client.NextAsync();
        body.ShouldBe($"{Separator}41{Separator}1");
        (await client.PostAsync("1")).ShouldBe((HttpStatusCode.BadRequest, """{"code":1,"message":"Session ID unknown"}"""));
    }

    [Fact]
    public async Task A_packet_with_binary_may_come_in_two_posts()
    {
        await using var server = await TestServer.StartAsync();
        using var client = await PollingClient.ReadyAsync(server);
        (await client.PostAsync("""451-7["publish","room:a","x",{"_placeholder":true,"num":0}]""")).Status.ShouldBe(HttpStatusCode.OK);
        (await client.PostAsync($"""bAQIDBA=={Separator}428["nothing"]""")).Status.ShouldBe(HttpStatusCode.OK);
        var body = "";
        while (!body.Contains("438[", StringComparison.Ordinal)) body += await client.NextAsync() + Separator;
        body.Split(Separator)[0].ShouldBe("""437[{"ok":false,"error":{"code":"bad_request","message":"Binary data is not supported: send JSON."}}]""");
    }

    [Fact]
    public async Task Silence_is_answered_with_a_ping_and_a_client_that_does_not_answer_is_gone()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { HeartbeatInterval = TimeSpan.FromMilliseconds(300), PongTimeout = TimeSpan.FromSeconds(2) });
        using var client = await PollingClient.ReadyAsync(server);
        (await client.PollAsync()).ShouldBe((HttpStatusCode.OK, "2"));
        (await client.PostAsync("3")).Status.ShouldBe(HttpStatusCode.OK);
        (await client.PollAsync()).ShouldBe((HttpStatusCode.OK, "2"));
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "the connection ends");
        (await client.PollAsync()).Status.ShouldBe(HttpStatusCode.BadRequest);
    }
}
