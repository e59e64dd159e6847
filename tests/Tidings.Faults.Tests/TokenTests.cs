using System.Net;
using System.Text.Json.Nodes;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>Tokens that are missing, wrong or over, on connections of every kind.</summary>
public sealed class TokenTests
{
    private static ServerSettings WithoutSkew => new() { Settings = new Dictionary<string, string> { ["Auth:ClockSkew"] = "0s" } };

    [Fact]
    public async Task A_token_that_is_over_is_refused_with_its_reason()
    {
        await using var server = await ServerProcess.StartAsync();
        var expired = UserToken.For("42", server.AuthSecret, TimeSpan.FromMinutes(-1));

        await using var socket = await NativeClient.OpenAsync(server.Address, expired);
        (await socket.WaitForCloseAsync()).ShouldBe(new WireClose(4401, "token_expired"));
        using var stream = await SseClient.OpenAsync(server.Address, expired, "feed:42");
        stream.Status.ShouldBe(HttpStatusCode.Unauthorized);
        using var poll = new PollClient(server.Address, expired, "feed:42");
        (await poll.PollAsync()).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_token_that_is_none_is_refused_with_its_reason()
    {
        await using var server = await ServerProcess.StartAsync();
        string[] tokens = ["x", UserToken.For("42", new string('k', 48)), UserToken.Sign("""{"alg":"none"}""", """{"sub":"42","exp":4000000000}""", "")];
        foreach (var token in tokens)
        {
            await using var socket = await NativeClient.OpenAsync(server.Address, token);
            (await socket.WaitForCloseAsync()).ShouldBe(new WireClose(4401, "invalid_token"), token);
            using var poll = new PollClient(server.Address, token, "feed:42");
            (await poll.PollAsync()).Status.ShouldBe(HttpStatusCode.Unauthorized, token);
        }
    }

    [Fact]
    public async Task Who_brings_no_token_in_time_is_shown_out()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var socket = await NativeClient.OpenAsync(server.Address, token: null);
        (await socket.WaitForCloseAsync()).ShouldBe(new WireClose(4401, "missing_token"));
    }

    [Fact]
    public async Task Who_brings_the_token_with_the_first_message_is_let_in()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var socket = await NativeClient.OpenAsync(server.Address, token: null);
        await socket.SendAsync(new JsonObject { ["type"] = "auth", ["token"] = UserToken.For("42", server.AuthSecret) }.ToJsonString());
        (await socket.WaitForAsync(message => message.IsOfType("connected"), "connected")).Text("userId").ShouldBe("42");
        await socket.SubscribeAsync("feed:42");
    }

    [Fact]
    public async Task A_connection_ends_with_its_token_and_gets_nothing_after_it()
    {
        await using var server = await ServerProcess.StartAsync(WithoutSkew);
        using var author = await Account.OfHostAsync(server, "author");
        await using var reader = await NativeClient.ConnectAsync(server.Address, UserToken.For("reader", server.AuthSecret, TimeSpan.FromSeconds(4)));
        await reader.SubscribeAsync(author.Creator);
        using var stream = await SseClient.OpenAsync(server.Address, UserToken.For("reader", server.AuthSecret, TimeSpan.FromSeconds(4)), author.Creator);
        var closing = stream.WaitForAsync(happened => happened.Type == "closing", "closing");

        await reader.WaitForAsync(message => message.IsOfType("token_expiring"), "a warning");
        (await reader.WaitForCloseAsync()).ShouldBe(new WireClose(4401, "token_expired"));
        (await closing).Json.GetProperty("code").GetInt32().ShouldBe(4401);
        await author.PostAsync("too late");
        reader.EventsOf(author.Creator).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_connection_lives_on_with_a_new_token_of_the_same_user_only()
    {
        await using var server = await ServerProcess.StartAsync(WithoutSkew);
        await using var renewing = await NativeClient.ConnectAsync(server.Address, UserToken.For("42", server.AuthSecret, TimeSpan.FromSeconds(4)));
        await using var witness = await NativeClient.ConnectAsync(server.Address, UserToken.For("42", server.AuthSecret, TimeSpan.FromSeconds(4)));

        (await AuthenticateAsync(renewing, UserToken.For("4", server.AuthSecret))).Text("type").ShouldBe("error");
        (await AuthenticateAsync(renewing, UserToken.For("42", server.AuthSecret))).Text("type").ShouldBe("authenticated");

        (await witness.WaitForCloseAsync()).Code.ShouldBe(4401);
        (await renewing.RequestAsync(new JsonObject { ["type"] = "ping" })).Text("type").ShouldBe("pong");
    }

    private static Task<System.Text.Json.JsonElement> AuthenticateAsync(NativeClient client, string token) =>
        client.RequestAsync(new JsonObject { ["type"] = "auth", ["token"] = token });
}
