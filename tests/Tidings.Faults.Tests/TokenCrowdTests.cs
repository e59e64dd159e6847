using System.Net;
using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>Many clients whose tokens end at about the same time, over every transport.</summary>
public sealed class TokenCrowdTests
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(8);

    [Fact]
    public async Task When_many_tokens_end_whoever_renewed_stays_and_the_others_get_nothing_more()
    {
        var each = TestRun.Number(10, 70);
        await using var server = await ServerProcess.StartAsync(new ServerSettings
        {
            Settings = new Dictionary<string, string> { ["Auth:ClockSkew"] = "0s", ["Channels:room:Access"] = "signed-in", ["Channels:room:History"] = "10000" },
        });
        using var backend = new Backend(server);
        string Token(string name, int number, TimeSpan lifetime) => UserToken.For($"{name}{number}", server.AuthSecret, lifetime);
        var numbers = Enumerable.Range(0, each).ToList();

        var sockets = await Task.WhenAll(numbers.Select(number => NativeClient.ConnectAsync(server.Address, Token("ws", number, Lifetime))));
        await Task.WhenAll(sockets.Select(socket => socket.SubscribeAsync("room:a")));
        var streams = await Task.WhenAll(numbers.Select(number => SseClient.OpenAsync(server.Address, Token("sse", number, Lifetime), "room:a")));
        var streamsEnd = streams.Select(stream => ReadToEndAsync(stream)).ToList();
        var polls = numbers.Select(number => new PollClient(server.Address, Token("poll", number, Lifetime), "room:a")).ToList();
        var pollsEnd = polls.Select(PollToEndAsync).ToList();

        await Task.WhenAll(sockets.Select(socket => socket.WaitForAsync(message => message.IsOfType("token_expiring"), "a warning")));
        var renewing = sockets.Where((_, index) => index % 2 == 0).ToList();
        var others = sockets.Where((_, index) => index % 2 == 1).ToList();
        await Task.WhenAll(renewing.Select(async (socket, index) =>
            (await socket.RequestAsync(new JsonObject { ["type"] = "auth", ["token"] = Token("ws", index * 2, TimeSpan.FromHours(1)) })).Text("type").ShouldBe("authenticated")));
        await backend.PublishAsync("room:a", "before");

        foreach (var socket in others) (await socket.WaitForCloseAsync()).ShouldBe(new WireClose(4401, "token_expired"));
        var ofStreams = await Task.WhenAll(streamsEnd);
        var ofPolls = await Task.WhenAll(pollsEnd);
        await backend.PublishAsync("room:a", "after");

        await Task.WhenAll(renewing.Select(socket => socket.WaitForAsync(message => message.Text("id") == "after", "what comes after the others' end")));
        foreach (var socket in others) socket.EventsOf("room:a").Select(happened => happened.Text("id")).ShouldBe(["before"]);
        foreach (var stream in ofStreams)
        {
            stream.Where(happened => happened.Type == "note").Select(happened => happened.Json.Text("id")).ShouldBe(["before"]);
            stream[^1].Type.ShouldBe("closing");
            stream[^1].Json.Text("reason").ShouldBe("token_expired");
        }

        foreach (var (ids, status) in ofPolls)
        {
            ids.ShouldBe(["before"]);
            status.ShouldBe(HttpStatusCode.Unauthorized);
        }

        foreach (var socket in sockets) await socket.DisposeAsync();
        foreach (var stream in streams) stream.Dispose();
        foreach (var poll in polls) poll.Dispose();
    }

    private static async Task<List<SseEvent>> ReadToEndAsync(SseClient stream)
    {
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        var events = new List<SseEvent>();
        await foreach (var happened in stream.ReadAsync(deadline.Token)) events.Add(happened);
        return events;
    }

    /// <summary>Polls until it is refused.</summary>
    private static async Task<(List<string?> Ids, HttpStatusCode Status)> PollToEndAsync(PollClient poll)
    {
        var ids = new List<string?>();
        while (true)
        {
            var answer = await poll.PollAsync();
            if (answer.Status != HttpStatusCode.OK) return (ids, answer.Status);
            ids.AddRange(answer.Events.Select(happened => happened.Text("id")));
        }
    }
}
