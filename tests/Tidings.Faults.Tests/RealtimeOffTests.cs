using System.Net;
using System.Net.Http.Json;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F32: with the real-time side switched off, every function works over REST.</summary>
public sealed class RealtimeOffTests
{
    private static ServerSettings Off => new() { Settings = new Dictionary<string, string> { ["Features:Realtime"] = "false" } };

    [Fact]
    public async Task Everything_works_over_rest()
    {
        await using var server = await ServerProcess.StartAsync(Off);
        using var author = await Account.RegisterAsync(server, "author");
        using var reader = await Account.RegisterAsync(server, "reader");
        await reader.FollowAsync(author);

        var post = await author.PostAsync("without a live connection", key: "once");
        var id = post.Text("id")!;
        (await author.PostAsync("without a live connection", key: "once")).Text("id").ShouldBe(id);
        (await reader.GetAsync("/api/posts")).GetProperty("posts").EnumerateArray().Select(it => it.Text("id")).ShouldBe([id]);
        (await reader.GetAsync("/api/posts?scope=all")).GetProperty("posts").GetArrayLength().ShouldBe(1);

        using (var like = await reader.Http.PostAsync($"/api/posts/{id}/like", content: null))
            (await Account.ReadAsync(like, HttpStatusCode.OK)).GetProperty("likesCount").GetInt32().ShouldBe(1);
        using (var unlike = await reader.Http.DeleteAsync($"/api/posts/{id}/like"))
            (await Account.ReadAsync(unlike, HttpStatusCode.OK)).GetProperty("likesCount").GetInt32().ShouldBe(0);
        using (var edit = await author.Http.PatchAsJsonAsync($"/api/posts/{id}", new { content = "edited" })) edit.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await reader.GetAsync($"/api/posts/{id}")).GetRawText().ShouldContain("edited");
        (await reader.GetAsync("/api/creators?query=auth")).GetRawText().ShouldContain(author.Id);
        (await reader.GetAsync("/api/auth/me")).GetRawText().ShouldContain(reader.Id);

        using (var remove = await author.Http.DeleteAsync($"/api/posts/{id}")) remove.IsSuccessStatusCode.ShouldBeTrue();
        using (var gone = await reader.Http.GetAsync($"/api/posts/{id}")) gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await server.IsReadyAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task Live_connections_are_told_to_come_back_later()
    {
        await using var server = await ServerProcess.StartAsync(Off);
        using var account = await Account.RegisterAsync(server, "account");

        await using (var socket = await NativeClient.OpenAsync(server.Address, account.Token))
        {
            var close = await socket.WaitForCloseAsync();
            close.Code.ShouldBe(4503);
            close.Reason.ShouldMatch("^retry=[1-9][0-9]*$");
            socket.Messages.ShouldBeEmpty();
        }

        using (var stream = await SseClient.OpenAsync(server.Address, account.Token, account.Feed))
        {
            stream.Status.ShouldBe(HttpStatusCode.OK, "a browser gives up for good on any other status");
            var closing = await stream.WaitForAsync(_ => true, "closing");
            closing.Type.ShouldBe("closing");
            closing.Json.GetProperty("code").GetInt32().ShouldBe(4503);
            stream.Retry.ShouldNotBeNull().ShouldBeGreaterThan(0);
        }

        using var poll = new PollClient(server.Address, account.Token, account.Feed);
        (await poll.PollAsync()).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task Posts_written_while_it_was_off_are_replayed_once_it_is_on()
    {
        await using var server = await ServerProcess.StartAsync();
        using var author = await Account.RegisterAsync(server, "author");
        string position;
        await using (var before = await NativeClient.ConnectAsync(author)) position = (await before.SubscribeAsync(author.Creator)).Text("position")!;

        await server.StopAsync();
        server.NextVariables["Tidings__Features__Realtime"] = "false";
        await server.StartAgainAsync();
        await author.PostAsync("while it was off");
        await server.StopAsync();
        await server.StartAgainAsync();

        await using var after = await NativeClient.ConnectAsync(author);
        (await after.SubscribeAsync(author.Creator, position)).GetProperty("recovered").GetBoolean().ShouldBeTrue();
        await after.WaitForAsync(message => message.PostText() == "while it was off", "the post");
        after.EventsOf(author.Creator).Count.ShouldBe(1);
    }
}
