using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Clients;

namespace Tidings.Faults.Tests;

/// <summary>Who is there, as the clients of a whole server see it.</summary>
public sealed class PresenceTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const string Online = "presence:online";

    [Fact]
    public async Task Whoever_is_connected_is_online_with_what_others_may_see_and_whoever_opts_out_is_not()
    {
        using var alice = await Account.RegisterAsync(running.Server, "onlineAlice");
        using var bob = await Account.RegisterAsync(running.Server, "onlineBob");
        await using var watcher = await NativeClient.ConnectAsync(alice);
        await watcher.SubscribeAsync(Online);
        await using var second = await NativeClient.ConnectAsync(bob);

        var joined = await watcher.WaitForAsync(message => IsAbout(message, "presence_joined", bob), "that bob is online");
        joined.GetProperty("member").GetProperty("info").GetRawText().ShouldBe("""{"nickname":"onlineBob","fullName":"","avatar":null}""");
        (await WhoAsync(watcher)).ShouldContain(bob.Id);
        (await AskAsBackendAsync()).ShouldContain(bob.Id);

        using (await bob.Http.PatchAsJsonAsync("/api/creators/me", new { showOnline = false }))
            await watcher.WaitForAsync(message => IsAbout(message, "presence_left", bob), "that bob is not seen", TimeSpan.FromSeconds(5));
        (await WhoAsync(watcher)).ShouldNotContain(bob.Id);
        (await AskAsBackendAsync()).ShouldNotContain(bob.Id);

        using (await bob.Http.PatchAsJsonAsync("/api/creators/me", new { showOnline = true }))
            await Eventually.HoldsAsync(async () => (await WhoAsync(watcher)).Contains(bob.Id), "bob is seen again");
    }

    [Fact]
    public async Task Under_a_post_the_readers_who_want_to_be_seen_are_and_typing_is_told()
    {
        using var alice = await Account.RegisterAsync(running.Server, "postAlice");
        using var bob = await Account.RegisterAsync(running.Server, "postBob");
        var post = $"post:{(await alice.PostAsync("a post")).Text("id")}";
        await using var reader = await NativeClient.ConnectAsync(alice);
        await reader.RequestAsync(new JsonObject { ["type"] = "subscribe", ["channel"] = post, ["presence"] = true });
        await using var other = await NativeClient.ConnectAsync(bob);
        await other.RequestAsync(new JsonObject { ["type"] = "subscribe", ["channel"] = post, ["presence"] = true });
        await reader.WaitForAsync(message => IsAbout(message, "presence_joined", bob), "that bob reads the post");

        var answer = await other.RequestAsync(new JsonObject { ["type"] = "publish", ["channel"] = post, ["event"] = "typing", ["data"] = new JsonObject() });

        answer.Text("type").ShouldBe("published");
        var typing = await reader.WaitForAsync(message => message.IsOfType("typing"), "that bob is typing");
        (typing.Text("channel"), typing.Text("userId")).ShouldBe((post, bob.Id));
        typing.TryGetProperty("position", out _).ShouldBeFalse();
        (await other.RequestAsync(new JsonObject { ["type"] = "publish", ["channel"] = post, ["event"] = "comment_added", ["data"] = new JsonObject() }))
            .Text("code").ShouldBe("forbidden");
    }

    [Fact]
    public async Task A_deleted_post_has_nobody_left_in_it()
    {
        using var alice = await Account.RegisterAsync(running.Server, "goneAlice");
        var id = (await alice.PostAsync("a post")).Text("id");
        await using var reader = await NativeClient.ConnectAsync(alice);
        await reader.RequestAsync(new JsonObject { ["type"] = "subscribe", ["channel"] = $"post:{id}", ["presence"] = true });
        (await WhoAsync(reader, $"post:{id}")).ShouldBe([alice.Id]);

        using var gone = await alice.Http.DeleteAsync($"/api/posts/{id}");
        await reader.WaitForAsync(message => message.Text("reason") == "access_revoked", "the end of the channel");

        var asked = await reader.RequestAsync(new JsonObject { ["type"] = "presence", ["channel"] = $"post:{id}" });
        asked.Text("code").ShouldBe("not_subscribed");
        await Eventually.HoldsAsync(async () => (await AskAsBackendAsync($"post:{id}")).Count == 0, "nobody is there");
    }

    private static bool IsAbout(JsonElement message, string type, Account account) =>
        message.IsOfType(type) && message.GetProperty("member").Text("userId") == account.Id;

    private static async Task<List<string?>> WhoAsync(NativeClient client, string channel = Online) =>
        MembersOf(await client.RequestAsync(new JsonObject { ["type"] = "presence", ["channel"] = channel }));

    private static List<string?> MembersOf(JsonElement answer) => [.. answer.GetProperty("members").EnumerateArray().Select(member => member.Text("userId"))];

    private async Task<List<string?>> AskAsBackendAsync(string channel = Online)
    {
        using var http = Account.Connect(running.Server);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", running.Server.AppSecret);
        return MembersOf(await http.GetFromJsonAsync<JsonElement>($"/api/realtime/channels/{channel}/presence"));
    }
}
