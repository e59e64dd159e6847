using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Clients;

namespace Tidings.Faults.Tests;

/// <summary>Comments, notifications and messages, as the clients of a whole server see them live.</summary>
public sealed class TalkTests(RunningServer running) : IClassFixture<RunningServer>
{
    [Fact]
    public async Task Whoever_subscribes_to_their_notifications_is_told_at_once_where_they_stand_and_alone()
    {
        using var alice = await Account.RegisterAsync(running.Server, "talkAlice");
        using var bob = await Account.RegisterAsync(running.Server, "talkBob");
        var post = (await alice.PostAsync("a post")).Text("id");
        for (var number = 0; number < 25; number++) await CommentAsync(bob, post!, $"comment {number}");
        var channel = $"notifications:{alice.Id}";

        await using var first = await NativeClient.ConnectAsync(alice);
        await first.SubscribeAsync(channel);
        var told = await first.WaitForAsync(message => message.IsOfType("unread_notifications"), "what is unread");
        told.GetProperty("unreadCount").GetInt64().ShouldBe(25);
        told.GetProperty("notifications").GetArrayLength().ShouldBe(20);
        told.GetProperty("notifications")[0].GetProperty("type").GetString().ShouldBe("COMMENT_POST");
        told.TryGetProperty("position", out _).ShouldBeFalse();

        // Attached by the server, over another transport, or of a user without any: the same.
        await using var attached = await NativeClient.ConnectAsync(running.Server.Address, alice.Token, "subscribe=own");
        await attached.WaitForAsync(message => message.IsOfType("unread_notifications"), "what is unread");
        await using var other = await SocketIoClient.ConnectAsync(running.Server.Address, bob.Token);
        await other.ReadUntilAsync(client => client.Events.Any(happened => happened.Name == "unread_notifications"));
        other.Events.Single(happened => happened.Name == "unread_notifications").Value.GetProperty("unreadCount").GetInt64().ShouldBe(0);

        await CommentAsync(bob, post!, "one more");
        foreach (var client in (NativeClient[])[first, attached])
        {
            var live = await client.WaitForAsync(message => message.IsOfType("notification"), "the live one");
            live.GetProperty("unreadCount").GetInt64().ShouldBe(26);
            client.Messages.Count(message => message.IsOfType("unread_notifications")).ShouldBe(1);
        }

        using (await alice.Http.PostAsync("/api/user/notifications/read-all", null))
            foreach (var client in (NativeClient[])[first, attached])
                (await client.WaitForAsync(message => message.IsOfType("notification_read"), "the mark")).GetProperty("unreadCount").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task Members_of_a_conversation_see_messages_marks_typing_and_each_other_and_strangers_nothing()
    {
        using var alice = await Account.RegisterAsync(running.Server, "chatAlice");
        using var bob = await Account.RegisterAsync(running.Server, "chatBob");
        using var eve = await Account.RegisterAsync(running.Server, "chatEve");
        var begun = await SendAsync(alice, "/api/conversations", new { members = new[] { bob.Id } });
        var id = begun.GetProperty("conversation").Text("id");
        var channel = $"conversation:{id}";

        await using var one = await NativeClient.ConnectAsync(alice);
        await one.SubscribeAsync(channel);
        await using var other = await NativeClient.ConnectAsync(bob);
        await other.SubscribeAsync(channel);
        await using var stranger = await NativeClient.ConnectAsync(eve);
        (await stranger.TrySubscribeAsync(channel)).Text("code").ShouldBe("forbidden");

        await one.WaitForAsync(message => message.IsOfType("presence_joined") && message.GetProperty("member").Text("userId") == bob.Id, "that bob is there");
        await other.RequestAsync(new JsonObject { ["type"] = "publish", ["channel"] = channel, ["event"] = "typing", ["data"] = new JsonObject() });
        (await one.WaitForAsync(message => message.IsOfType("typing"), "that bob is typing")).Text("userId").ShouldBe(bob.Id);
        await SendAsync(bob, $"/api/conversations/{id}/messages", new { content = "hello" });
        (await one.WaitForAsync(message => message.IsOfType("message_created"), "the message")).GetProperty("message").Text("content").ShouldBe("hello");
        await SendAsync(alice, $"/api/conversations/{id}/read", new { }, HttpStatusCode.OK);
        (await other.WaitForAsync(message => message.IsOfType("message_read"), "the mark")).Text("userId").ShouldBe(alice.Id);
        stranger.Messages.ShouldNotContain(message => message.IsEvent());
    }

    private static Task<JsonElement> CommentAsync(Account account, string post, string content) => SendAsync(account, $"/api/posts/{post}/comments", new { content });

    private static async Task<JsonElement> SendAsync(Account account, string path, object body, HttpStatusCode expected = HttpStatusCode.Created)
    {
        using var answer = await account.Http.PostAsJsonAsync(path, body);
        return await Account.ReadAsync(answer, expected);
    }
}
