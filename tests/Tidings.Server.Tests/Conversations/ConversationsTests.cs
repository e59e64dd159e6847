using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Tidings.Realtime.Connections;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Conversations;

public sealed class ConversationsTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task Two_users_have_one_direct_conversation_whoever_begins_it()
    {
        var (ann, bob) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var one = await app.ClientAsync(ann);
        using var other = await app.ClientAsync(bob);

        var begun = await Task.WhenAll(Enumerable.Range(0, 10).Select(async index =>
        {
            using var response = await (index % 2 == 0 ? one : other).PostAsJsonAsync("/api/conversations", new { members = new[] { index % 2 == 0 ? bob : ann } });
            response.StatusCode.ShouldBeOneOf(HttpStatusCode.Created, HttpStatusCode.OK);
            return (response.StatusCode, Id: JsonNode.Parse(await response.Content.ReadAsStringAsync())!.Text("conversation.id"));
        }));

        begun.Select(answer => answer.Id).Distinct().Count().ShouldBe(1);
        begun.Count(answer => answer.StatusCode == HttpStatusCode.Created).ShouldBe(1);
        var sent = await other.PostAsJsonAsync("/api/messages", new { to = ann, content = "hi" }).JsonAsync(HttpStatusCode.Created);
        sent.Text("message.conversationId").ShouldBe(begun[0].Id);
        sent.Text("message.number").ShouldBe("1");
    }

    [Fact]
    public async Task A_message_reaches_the_conversation_and_every_member_and_is_counted_as_unread()
    {
        var (ann, bob) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var one = await app.ClientAsync(ann);
        using var other = await app.ClientAsync(bob);
        var id = await BeginAsync(one, bob);
        foreach (var text in (string[])["one", "two", "three"]) await SayAsync(one, id, text);

        foreach (var channel in (string[])[$"conversation:{id}", $"user:{ann}", $"user:{bob}"])
        {
            (await app.EventsAsync(channel)).Select(happened => $"{happened.Type} {happened.Payload["message"]!["number"]} {happened.Payload["message"]!["content"]}")
                .ShouldBe(["message_created 1 one", "message_created 2 two", "message_created 3 three"]);
        }

        var page = await other.GetAsync($"/api/conversations/{id}/messages?limit=2").JsonAsync();
        TextsOf(page).ShouldBe(["three", "two"]);
        TextsOf(await other.GetAsync($"/api/conversations/{id}/messages?cursor={page.Text("nextCursor")}").JsonAsync()).ShouldBe(["one"]);
        page["positions"]!.AsObject().Select(position => position.Key).ShouldBe([$"conversation:{id}"]);

        var theirs = (await other.GetAsync("/api/conversations").JsonAsync())["conversations"]!.AsArray().Single()!;
        theirs.Text("unreadCount").ShouldBe("3");
        theirs.Text("lastMessage.content").ShouldBe("three");
        theirs.Text("kind").ShouldBe("direct");
        (await one.GetAsync("/api/conversations").JsonAsync())["conversations"]![0]!.Text("unreadCount").ShouldBe("0");

        var told = await other.GetAsync("/api/user/notifications").JsonAsync();
        told["notifications"]!.AsArray().Single()!.Text("message").ShouldBe($"nick-{ann} sent you 3 messages");
        told.ToJsonString().ShouldNotContain("three");
        (await one.GetAsync("/api/user/notifications").JsonAsync())["notifications"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_read_mark_only_moves_on_and_is_seen_by_all_members()
    {
        var (ann, bob) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var one = await app.ClientAsync(ann);
        using var other = await app.ClientAsync(bob);
        var id = await BeginAsync(one, bob);
        (await other.PostAsync($"/api/conversations/{id}/read", null).JsonAsync()).Text("unreadCount").ShouldBe("0");
        var first = (await SayAsync(one, id, "one")).Text("message.id");
        var second = (await SayAsync(one, id, "two")).Text("message.id");

        (await ReadAsync(first)).ShouldBe("1");
        (await other.PostAsync($"/api/conversations/{id}/read", null).JsonAsync()).Text("unreadCount").ShouldBe("0");
        (await ReadAsync(first)).ShouldBe("0", "it does not go back");
        await other.PostAsJsonAsync($"/api/conversations/{id}/read", new { messageId = "none" }).JsonAsync(HttpStatusCode.NotFound);

        foreach (var channel in (string[])[$"conversation:{id}", $"user:{ann}", $"user:{bob}"])
        {
            (await app.EventsAsync(channel)).Where(happened => happened.Type == "message_read")
                .Select(happened => $"{happened.Payload["messageId"]} {happened.Payload["number"]} {happened.Payload["userId"]}")
                .ShouldBe([$"{first} 1 {bob}", $"{second} 2 {bob}"]);
        }

        var members = (await one.GetAsync("/api/conversations").JsonAsync())["conversations"]![0]!["members"]!.AsArray();
        members.Select(member => member!.Text("readThrough")).ShouldBe(["2", "2"]);
        (await other.GetAsync("/api/user/notifications").JsonAsync()).Text("unreadCount").ShouldBe("0", "the notification of the messages is read with them");

        async Task<string> ReadAsync(string messageId) =>
            (await other.PostAsJsonAsync($"/api/conversations/{id}/read", new { messageId }).JsonAsync()).Text("unreadCount");
    }

    [Fact]
    public async Task Strangers_neither_see_nor_write_nor_subscribe()
    {
        var (ann, bob, eve) = (PostsApp.NewUser(), PostsApp.NewUser(), PostsApp.NewUser());
        using var one = await app.ClientAsync(ann);
        using var other = await app.ClientAsync(bob);
        using var stranger = await app.ClientAsync(eve);
        using var visitor = await app.ClientAsync(null);
        var id = await BeginAsync(one, bob);
        await SayAsync(one, id, "a secret");

        (await stranger.GetAsync($"/api/conversations/{id}/messages")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.PostAsJsonAsync($"/api/conversations/{id}/messages", new { content = "hi" })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.PostAsync($"/api/conversations/{id}/read", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.GetAsync("/api/conversations").JsonAsync())["conversations"]!.AsArray().ShouldBeEmpty();
        (await visitor.GetAsync("/api/conversations")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        (await MaySubscribeAsync(ann)).ShouldBeTrue();
        (await MaySubscribeAsync(bob)).ShouldBeTrue();
        (await MaySubscribeAsync(eve)).ShouldBeFalse();
        (await MaySubscribeAsync(null)).ShouldBeFalse();

        async Task<bool> MaySubscribeAsync(string? user)
        {
            PostsApp.Catalog.Parse($"conversation:{id}", out var channel);
            var authorizer = app.Services.GetRequiredService<IChannelAuthorizer>();
            return (await authorizer.AuthorizeAsync(new ClientIdentity(user, null), channel!, null, CancellationToken.None)).IsAllowed;
        }
    }

    [Fact]
    public async Task Who_is_blocked_or_has_blocked_exchanges_no_messages()
    {
        var (ann, bob) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var one = await app.ClientAsync(ann);
        using var other = await app.ClientAsync(bob);
        var id = await BeginAsync(one, bob);
        await app.Store.WriteAsync(
            async write => await write.ExecuteAsync("INSERT INTO blocks (blocker_id, blocked_id, created_at) VALUES (@ann, @bob, 0)", new { ann, bob }), CancellationToken.None);

        foreach (var (client, to) in ((HttpClient, string)[])[(one, bob), (other, ann)])
        {
            (await client.PostAsJsonAsync($"/api/conversations/{id}/messages", new { content = "hi" }).JsonAsync(HttpStatusCode.Forbidden)).Text("code").ShouldBe("forbidden");
            (await client.PostAsJsonAsync("/api/messages", new { to, content = "hi" }).JsonAsync(HttpStatusCode.Forbidden)).Text("code").ShouldBe("forbidden");
            (await client.PostAsJsonAsync("/api/conversations", new { members = new[] { to } }).JsonAsync(HttpStatusCode.Forbidden)).Text("code").ShouldBe("forbidden");
        }

        (await app.EventsAsync($"conversation:{id}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task F26_fifty_equal_messages_at_once_have_one_effect_and_one_answer()
    {
        var (ann, bob) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var one = await app.ClientAsync(ann);
        using var other = await app.ClientAsync(bob);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => SendAsync("/api/messages", "k", $$"""{"to":"{{bob}}","content":"once"}""")));
        answers.Distinct().Count().ShouldBe(1);

        var groups = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SendAsync("/api/conversations", "g", $$"""{"members":["{{bob}}"],"title":"us"}""")));
        groups.Distinct().Count().ShouldBe(1);
        (await other.GetAsync("/api/conversations").JsonAsync())["conversations"]!.AsArray().Select(view => $"{view!["kind"]} {view["unreadCount"]}")
            .ShouldBe(["group 0", "direct 1"], ignoreOrder: true);

        async Task<string> SendAsync(string path, string key, string body)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation(IdempotencyKeys.Header, key);
            using var response = await one.SendAsync(request);
            response.StatusCode.ShouldBe(HttpStatusCode.Created);
            return await response.Content.ReadAsStringAsync();
        }
    }

    [Fact]
    public async Task Messages_are_numbered_without_holes_however_many_write_at_once()
    {
        var users = Enumerable.Range(0, 5).Select(_ => PostsApp.NewUser()).ToList();
        var clients = await Task.WhenAll(users.Select(user => app.ClientAsync(user)));
        var group = await clients[0].PostAsJsonAsync("/api/conversations", new { members = users, title = "all" }).JsonAsync(HttpStatusCode.Created);
        var id = group.Text("conversation.id");
        group["conversation"]!["members"]!.AsArray().Count.ShouldBe(5);

        await Task.WhenAll(clients.SelectMany(client => Enumerable.Range(0, 10).Select(index => SayAsync(client, id, $"{index}"))));

        (await app.EventsAsync($"conversation:{id}")).Select(happened => happened.Payload["message"]!["number"]!.GetValue<int>()).ShouldBe(Enumerable.Range(1, 50));
        var page = await clients[0].GetAsync($"/api/conversations/{id}/messages?limit=100").JsonAsync();
        page["messages"]!.AsArray().Select(message => message!["number"]!.GetValue<int>()).ShouldBe(Enumerable.Range(1, 50).Reverse());
        foreach (var client in clients) client.Dispose();
    }

    [Theory]
    [InlineData("/api/messages", """{"content":"a"}""", "to")]
    [InlineData("/api/messages", """{"to":"x y","content":"a"}""", "to")]
    [InlineData("/api/messages", """{"to":"x","content":" "}""", "content")]
    [InlineData("/api/conversations", """{"members":[]}""", "members")]
    [InlineData("/api/conversations", """{"members":["a b"]}""", "members")]
    [InlineData("/api/conversations/x/messages", "{}", "content")]
    public async Task A_bad_body_is_refused_with_the_fields_name(string path, string body, string field)
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var problem = await client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json")).JsonAsync(HttpStatusCode.BadRequest);
        problem["errors"]!.AsObject().Select(error => error.Key).ShouldBe([field]);
    }

    [Fact]
    public async Task Who_is_not_there_is_not_written_to()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        (await client.PostAsJsonAsync("/api/messages", new { to = "nobody", content = "hi" }).JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
        (await client.PostAsJsonAsync("/api/conversations", new { members = new[] { "nobody" } }).JsonAsync(HttpStatusCode.UnprocessableEntity)).Text("code").ShouldBe("unknown_member");
        (await client.PostAsJsonAsync("/api/conversations/none/messages", new { content = "hi" })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static async Task<string> BeginAsync(HttpClient client, string other) =>
        (await client.PostAsJsonAsync("/api/conversations", new { members = new[] { other } }).JsonAsync(HttpStatusCode.Created)).Text("conversation.id");

    private static Task<JsonNode> SayAsync(HttpClient client, string id, string content) =>
        client.PostAsJsonAsync($"/api/conversations/{id}/messages", new { content }).JsonAsync(HttpStatusCode.Created);

    private static List<string> TextsOf(JsonNode page) => [.. page["messages"]!.AsArray().Select(message => message!.Text("content"))];
}
