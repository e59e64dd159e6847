using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests.Access;

/// <summary>Rights change on connections that are open, and what was open before is not kept for those who lost it.</summary>
public sealed class LiveRightsTests : IAsyncLifetime
{
    private readonly Provider _provider = new();
    private readonly Canary _canary = new();
    private ServerProcess _server = null!;
    private Account _author = null!;
    private Account _reader = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ServerProcess.StartAsync(new ServerSettings { Settings = { ["Payments:WebhookSecret"] = _provider.Secret } });
        _author = await Account.OfHostAsync(_server, "author");
        _reader = await Account.OfHostAsync(_server, "reader");
        await AccessWorld.MakeCreatorAsync(_author);
    }

    public async ValueTask DisposeAsync()
    {
        _author.Dispose();
        _reader.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_payment_opens_what_is_published_next_on_open_connections_and_a_refund_closes_it()
    {
        await using var client = await NativeClient.ConnectAsync(_reader);
        await client.SubscribeAsync(_author.Creator);
        await client.SubscribeAsync(_reader.Feed);
        var texts = new[] { LockedText.New(), LockedText.New(), LockedText.New() };
        var first = await AccessWorld.PostAsync(_author, new { content = texts[0].Text, tier = "Gold" });
        (await EventOfAsync(client, first)).PostText().ShouldBeNull();

        foreach (var text in texts[..2]) text.Allow(_reader.Id);
        var payment = await _provider.SubscribeAsync(_reader, _author, "Gold", 5);
        var told = await client.WaitForAsync(message => message.IsOfType("feed_update") && message.Text("reason") == "subscribed", "what to read again");
        told.GetProperty("postIds").EnumerateArray().Select(id => id.GetString()).ShouldBe([first]);
        (await _reader.GetAsync($"/api/posts/{first}")).PostText().ShouldBe(texts[0].Text);
        var second = await AccessWorld.PostAsync(_author, new { content = texts[1].Text, tier = "Gold" });
        (await EventOfAsync(client, second)).PostText().ShouldBe(texts[1].Text);

        await _provider.RefundAsync(_server, payment);
        foreach (var text in texts) text.Forbid(_reader.Id);
        var third = await AccessWorld.PostAsync(_author, new { content = texts[2].Text, tier = "Gold" });
        (await EventOfAsync(client, third)).PostText().ShouldBeNull();
        await client.WaitForAsync(message => message.IsOfType("feed_update") && message.Text("reason") == "subscription_refunded", "what is closed");
        (await _reader.GetAsync($"/api/posts/{first}")).PostText().ShouldBeNull();
    }

    [Fact]
    public async Task A_block_ends_what_the_two_read_of_each_other_at_once_and_a_resumed_session_stays_out()
    {
        var post = await AccessWorld.PostAsync(_author, new { content = LockedText.NewOpen().Forbid("reader").Text });
        await _reader.FollowAsync(_author);
        await using var client = await NativeClient.ConnectAsync(_reader);
        foreach (var channel in (string[])[_author.Creator, $"post:{post}", _reader.Feed, "public:posts"]) await client.SubscribeAsync(channel);
        var since = client.PositionOf(_author.Creator);

        using (var block = await _author.Http.PostAsync($"/api/users/{_reader.Id}/block", null)) block.StatusCode.ShouldBe(HttpStatusCode.NoContent);

        foreach (var channel in (string[])[_author.Creator, $"post:{post}"])
            await client.WaitForAsync(message => message.IsOfType("unsubscribed") && message.Text("channel") == channel, $"the end of {channel}", TimeSpan.FromSeconds(5));
        var hidden = await AccessWorld.PostAsync(_author, new { content = LockedText.NewOpen().Forbid("reader").Text });
        using var stranger = await Account.OfHostAsync(_server, "stranger");
        var shown = await AccessWorld.PostAsync(stranger, new { content = "for everybody" });
        await client.WaitForAsync(message => message.PostId() == shown, "a post of somebody else");
        client.Messages.ShouldNotContain(message => message.PostId() == hidden);

        await using var again = await NativeClient.ConnectAsync(_reader);
        foreach (var channel in (string[])[_author.Creator, $"post:{post}"])
            (await again.TrySubscribeAsync(channel, since)).Text("code").ShouldBe("forbidden");
        foreach (var (method, path) in ((HttpMethod, string)[])
        [
            (HttpMethod.Get, $"/api/posts/{post}"), (HttpMethod.Get, $"/api/creators/{_author.Id}"), (HttpMethod.Post, $"/api/creators/{_author.Id}/follow"),
            (HttpMethod.Post, $"/api/posts/{post}/like"),
        ])
        {
            using var answer = await _reader.Http.SendAsync(new HttpRequestMessage(method, path));
            answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
        }

        using (var end = await _author.Http.DeleteAsync($"/api/users/{_reader.Id}/block")) end.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await Eventually.HoldsAsync(async () => (await again.TrySubscribeAsync(_author.Creator)).IsOfType("subscribed"), "the way back in");
    }

    [Fact]
    public async Task No_token_that_was_given_before_a_block_opens_what_the_block_has_closed()
    {
        var post = await AccessWorld.PostAsync(_author, new { content = LockedText.NewOpen().Forbid("reader").Text });
        using var begun = await _author.Http.PostAsJsonAsync("/api/messages", new { to = _reader.Id, content = "hello" });
        var conversation = (await Account.ReadAsync(begun, HttpStatusCode.Created)).GetProperty("message").Text("conversationId");
        using var backend = new Backend(_server);
        var tokens = new[] { _author.Creator, $"post:{post}", $"conversation:{conversation}" }.ToDictionary(channel => channel, channel => backend.SubscriptionToken("reader", channel));
        var since = new Dictionary<string, string>();
        await using (var author = await NativeClient.ConnectAsync(_author))
            foreach (var channel in tokens.Keys) since[channel] = (await author.SubscribeAsync(channel)).Text("position")!;

        using (var block = await _reader.Http.PostAsync($"/api/users/{_author.Id}/block", null)) block.EnsureSuccessStatusCode();

        await using var client = await NativeClient.ConnectAsync(_reader);
        foreach (var (channel, token) in tokens)
        {
            foreach (var from in (string?[])[null, since[channel]])
            {
                var asked = new JsonObject { ["type"] = "subscribe", ["channel"] = channel, ["token"] = token };
                if (from is not null) asked["since"] = from;
                (await client.RequestAsync(asked)).Text("code").ShouldBe("forbidden", channel);
            }

            using var poll = new PollClient(_server.Address, _reader.Token, channel, $"&token={token}");
            (await poll.PollAsync(timeoutSeconds: 1)).Status.ShouldNotBe(HttpStatusCode.OK, channel);
        }
    }

    [Fact]
    public async Task A_block_ends_messages_typing_presence_and_read_marks_in_the_conversation_of_the_two()
    {
        var id = await SendAsync(_author, _reader, "one");
        await SendAsync(_reader, _author, "two");
        await SendAsync(_author, _reader, "three");
        var channel = $"conversation:{id}";
        await using var author = await NativeClient.ConnectAsync(_author);
        await using var reader = await NativeClient.ConnectAsync(_reader);
        foreach (var (client, account) in ((NativeClient, Account)[])[(author, _author), (reader, _reader)])
        {
            await client.SubscribeAsync(channel);
            await client.SubscribeAsync($"user:{account.Id}");
        }

        await author.WaitForAsync(message => message.IsOfType("presence_joined") && message.GetProperty("member").Text("userId") == _reader.Id, "the reader is there");

        using (var block = await _author.Http.PostAsync($"/api/users/{_reader.Id}/block", null)) block.EnsureSuccessStatusCode();

        foreach (var client in (NativeClient[])[author, reader])
            await client.WaitForAsync(message => message.IsOfType("unsubscribed") && message.Text("channel") == channel && message.Text("reason") == "access_revoked", "the end");
        foreach (var client in (NativeClient[])[author, reader])
        {
            (await client.RequestAsync(new JsonObject { ["type"] = "publish", ["channel"] = channel, ["event"] = "typing", ["data"] = new JsonObject() })).IsOfType("error").ShouldBeTrue();
            (await client.TrySubscribeAsync(channel)).Text("code").ShouldBe("forbidden");
            (await client.RequestAsync(new JsonObject { ["type"] = "presence", ["channel"] = channel })).IsOfType("error").ShouldBeTrue();
            (await client.RequestAsync(new JsonObject { ["type"] = "history", ["channel"] = channel, ["limit"] = 10 })).IsOfType("error").ShouldBeTrue();
        }

        using (var message = await _reader.Http.PostAsJsonAsync($"/api/conversations/{id}/messages", new { content = "four" })) message.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using (var mark = await _reader.Http.PostAsync($"/api/conversations/{id}/read", null)) mark.StatusCode.ShouldBe(HttpStatusCode.OK);
        await reader.WaitForAsync(message => message.IsOfType("message_read") && message.Text("userId") == _reader.Id, "the reader's own mark");
        await AccessWorld.PostAsync(_author, new { content = LockedText.New().Text, status = "draft" });
        await author.WaitForAsync(message => message.IsOfType("post:created"), "what the author alone hears of, later than the mark");
        author.Messages.ShouldNotContain(message => message.IsOfType("message_read") && message.Text("userId") == _reader.Id);

        using (var end = await _author.Http.DeleteAsync($"/api/users/{_reader.Id}/block")) end.EnsureSuccessStatusCode();
        await Eventually.HoldsAsync(async () => (await reader.TrySubscribeAsync(channel)).IsOfType("subscribed"), "the way back in");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_locked_or_deleted_is_in_no_replay_and_no_history_any_more_at_its_old_place(bool isDeleted)
    {
        var text = LockedText.NewOpen();
        var marker = text.Text;
        await using var before = await NativeClient.ConnectAsync(_reader);
        string[] channels = [_author.Creator, "public:posts"];
        var since = new Dictionary<string, string>();
        foreach (var channel in channels) since[channel] = (await before.SubscribeAsync(channel)).Text("position")!;
        await _reader.FollowAsync(_author);
        since[_reader.Feed] = (await before.SubscribeAsync(_reader.Feed)).Text("position")!;
        var post = await AccessWorld.PostAsync(_author, new { content = marker });
        await AccessWorld.EditAsync(_author, post, new { title = "still open" });
        await SeenAsync();

        if (isDeleted) (await _author.Http.DeleteAsync($"/api/posts/{post}")).Dispose();
        else await AccessWorld.EditAsync(_author, post, new { tier = "Gold" });

        text.Lock();
        if (isDeleted) text.Forbid(_author.Id);
        await ReadAllAsync("from memory", post, marker, since, isDeleted);
        await _server.KillAsync();
        await _server.StartAgainAsync();
        await ReadAllAsync("from the database", post, marker, since, isDeleted);

        if (isDeleted) return;
        text.Allow(_reader.Id);
        await using var creator = await NativeClient.ConnectAsync(_author);
        await creator.SubscribeAsync($"user:{_author.Id}");
        await _provider.SubscribeAsync(_reader, _author, "Gold", 5);
        await creator.WaitForAsync(message => message.IsOfType("new_subscription"), "the payment, which live rights hear of just before");
        await using var paid = await NativeClient.ConnectAsync(_reader);
        await paid.SubscribeAsync(_author.Creator, since[_author.Creator]);
        await paid.WaitForAsync(message => message.IsOfType("post_created") && message.PostText() == marker, "the full form, for whoever pays");

        Task SeenAsync() => before.WaitForAsync(
            message => message.IsOfType("post_updated") && message.Text("channel") == _author.Creator, "the post while it is open");
    }

    [Fact]
    public async Task A_recovery_that_the_server_makes_by_itself_shows_what_may_be_seen_by_then()
    {
        var text = LockedText.NewOpen();
        await using var socket = await SocketIoClient.ConnectAsync(_server.Address, _reader.Token);
        await socket.SubscribeAsync(_author.Creator);
        var first = await AccessWorld.PostAsync(_author, new { content = "open" });
        await socket.ReadUntilAsync(client => client.Events.Any(happened => happened.Value.PostId() == first));
        socket.Cut();

        var post = await AccessWorld.PostAsync(_author, new { content = text.Text });
        await AccessWorld.EditAsync(_author, post, new { tier = "Gold" });
        text.Lock();

        await using var again = await SocketIoClient.ConnectAsync(_server.Address, _reader.Token, before: socket);
        await again.ReadUntilAsync(client => client.Events.Any(happened => happened.Name == "post_updated" && happened.Value.PostId() == post));
        again.Sid.ShouldBe(socket.Sid, "it is the same socket");
        again.Events.Single(happened => happened.Name == "post_created" && happened.Value.PostId() == post).Value.PostText().ShouldBeNull();
        again.Events.ShouldAllBe(happened => !happened.Value.GetRawText().Contains(text.Text));
    }

    private static async Task<string> SendAsync(Account from, Account to, string content)
    {
        using var answer = await from.Http.PostAsJsonAsync("/api/messages", new { to = to.Id, content });
        return (await Account.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("message").Text("conversationId")!;
    }

    private static Task<JsonElement> EventOfAsync(NativeClient client, string post) =>
        client.WaitForAsync(message => message.IsOfType("post_created") && message.PostId() == post, $"post {post}");

    private async Task ReadAllAsync(string from, string post, string marker, Dictionary<string, string> since, bool isDeleted)
    {
        foreach (var (channel, place) in since)
        {
            await using var client = await NativeClient.ConnectAsync(
                _server.Address, _reader.Token, onMessage: message => _canary.Note("reader", $"{channel} {from}", message.GetRawText()));
            var answer = await client.SubscribeAsync(channel, place);
            answer.GetProperty("recovered").GetBoolean().ShouldBeTrue($"{channel} {from}");
            await client.WaitForAsync(message => message.IsOfType("post_created") && message.PostId() == post, $"the event at its old place in {channel} {from}");
            await client.RequestAsync(new JsonObject { ["type"] = "history", ["channel"] = channel, ["since"] = place, ["limit"] = 100 });
        }

        _canary.ReadersOf(marker).ShouldBeEmpty();
        using var read = await _reader.Http.GetAsync($"/api/posts/{post}");
        (await read.Content.ReadAsStringAsync()).ShouldNotContain(marker);
        read.StatusCode.ShouldBe(isDeleted ? HttpStatusCode.NotFound : HttpStatusCode.OK);
    }
}
