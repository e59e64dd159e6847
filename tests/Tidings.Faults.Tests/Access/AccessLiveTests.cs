using System.Net;
using System.Text.Json.Nodes;
using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;

namespace Tidings.Faults.Tests.Access;

/// <summary>The authorization matrix of reliability.md 3.3 on live connections: actors × objects × protocols, live, recovered and as history.</summary>
[Collection(nameof(AccessWorld))]
public sealed class AccessLiveTests(AccessWorld world)
{
    /// <summary>The ways on which whoever sees all of a post has received it, by the channel of its author.</summary>
    private static readonly string[] Live = ["live creator (ws)", "live creator (sse)", "live creator (Socket.IO)", "live creator (SignalR)", "live creator (Pusher)"];

    private static readonly string[] Past = ["recovered creator (ws)", "recovered creator (poll)", "recovered creator (sse)", "recovered creator (Socket.IO)", "recovered creator (SignalR)", "history of creator"];

    public static TheoryData<string> Readers => new(AccessTable.Rows.Keys.Where(reader => reader != AccessTable.Anonymous)); // nobody subscribes unsigned: ChannelAuthorizationTests

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task Live_replayed_recovered_and_as_history_everybody_receives_what_the_table_says(string reader)
    {
        await ReadAgainAsync(reader);

        foreach (var post in AccessTable.Objects)
        {
            var sight = AccessTable.Of(reader, post);
            var paths = world.Canary.PathsOf(reader, world.Texts[post].Text).Where(path => !path.Contains('/')).ToList(); // without those of HTTP
            if (sight != Sight.Full)
            {
                // What is deleted or hidden was full for the tier's subscribers while it was there.
                if (post is "deleted" or "hidden" && AccessTable.Of(reader, "tier") == Sight.Full) paths.ShouldAllBe(path => path.StartsWith("live "));
                else paths.ShouldBeEmpty($"{reader} has read {post}");
                continue;
            }

            if (post is "draft" or "hidden") continue; // of these its author hears nothing in the channels of everybody
            foreach (var path in Past) paths.ShouldContain(path, $"{post} to {reader}");
            if (reader != "buyer" || post == "open") foreach (var path in Live) paths.ShouldContain(path, $"{post} to {reader}"); // who bought it before it was edited
            if (post != "open") paths.ShouldAllBe(path => !path.Contains("public"));
        }

        if (reader == AccessTable.Blocked) world.Canary.PathsOf(reader, world.Ids["open"]).Where(path => !path.Contains('/') && path != "post (ws)").ShouldBeEmpty(); // a refusal names what was asked for
        CanaryWatch.Shared.Hits.ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task A_posts_channel_opens_for_whoever_may_know_of_the_post_and_shows_comments_to_whoever_sees_all_of_it(string reader)
    {
        await using var client = await world.ConnectAsync(reader, "post (ws)");
        foreach (var post in AccessTable.Objects)
        {
            var channel = $"post:{world.Ids[post]}";
            var isOpen = AccessTable.Of(reader, post) != Sight.Hidden;
            (await client.TrySubscribeAsync(channel)).IsOfType("subscribed").ShouldBe(isOpen, post);
            (await client.RequestAsync(new JsonObject { ["type"] = "presence", ["channel"] = channel })).IsOfType("presence").ShouldBe(isOpen, post);
            using var poll = new PollClient(world.Server.Address, world.Readers[reader]!.Token, channel);
            ((await poll.PollAsync(timeoutSeconds: 1)).Status == HttpStatusCode.OK).ShouldBe(isOpen, post);
            using var stream = await SseClient.OpenAsync(world.Server.Address, world.Readers[reader]!.Token, channel);
            (stream.Status == HttpStatusCode.OK).ShouldBe(isOpen, post);

            var past = await client.RequestAsync(new JsonObject { ["type"] = "history", ["channel"] = channel, ["limit"] = 50 });
            past.IsOfType("history").ShouldBe(isOpen, post);
            past.GetRawText().Contains(world.Said[post].Text, StringComparison.Ordinal).ShouldBe(
                AccessTable.Of(reader, post) == Sight.Full && post is not ("draft" or "hidden"), $"the comment on {post}");
        }

        foreach (var other in (string[])[$"user:{world.Author.Id}", $"notifications:{world.Author.Id}", world.Author.Feed])
            (await client.TrySubscribeAsync(other)).IsOfType("subscribed").ShouldBe(reader == AccessTable.Author, other);
        CanaryWatch.Shared.Hits.ShouldBeEmpty();
    }

    [Fact]
    public void The_canary_has_something_to_find_and_finds_nothing()
    {
        foreach (var (post, text) in world.Texts)
            if (post != "deleted") world.Canary.PathsOf(AccessTable.Author, text.Text).ShouldNotBeEmpty(post);
        CanaryWatch.Shared.Hits.ShouldBeEmpty(); // logs included
    }

    /// <summary>Reads all that is past in every way: resumed from before the first post, by polling, and as pages of history.</summary>
    private async Task ReadAgainAsync(string reader)
    {
        var token = world.Readers[reader]!.Token;
        foreach (var (key, since) in world.Before.Where(one => one.Key.Reader == reader).ToList())
        {
            var channel = key.Channel switch { "creator" => world.Author.Creator, "feed" => world.Readers[reader]!.Feed, _ => "public:posts" };
            await using var client = await world.ConnectAsync(reader, $"recovered {key.Channel} (ws)");
            await client.SubscribeAsync(channel, since);
            await client.RequestAsync(new JsonObject { ["type"] = "ping" });

            await using var past = await world.ConnectAsync(reader, $"history of {key.Channel}");
            await past.RequestAsync(new JsonObject { ["type"] = "history", ["channel"] = channel, ["since"] = since, ["limit"] = 100 });

            using var poll = new PollClient(world.Server.Address, token, channel) { Since = world.BeforePolling[key] };
            world.Canary.Note(reader, $"recovered {key.Channel} (poll)", (await poll.PollAsync(timeoutSeconds: 1)).Body.GetRawText());

            // These say nothing after what was missed: the last event of the author's channel is waited for, where it is to come.
            var last = key.Channel == "creator" ? $"\"postId\":\"{world.Ids["hidden"]}\"" : null;
            await using var stream = await world.ListenToStreamAsync(reader, $"recovered {key.Channel} (sse)", channel, world.BeforePolling[key]);
            await using var socketIo = await ListeningSocket.SocketIoAsync(world.Server.Address, token, channel, since, Note("Socket.IO"));
            await using var signalR = await ListeningSocket.SignalRAsync(world.Server.Address, token, channel, since, Note("SignalR"));
            if (last is not null)
                foreach (var way in (string[])["sse", "Socket.IO", "SignalR"])
                    await Eventually.HoldsAsync(() => world.Canary.PathsOf(reader, last).Contains($"recovered {key.Channel} ({way})"), $"all of the past by {way}");

            Action<string> Note(string way) => text => world.Canary.Note(reader, $"recovered {key.Channel} ({way})", text);
        }
    }
}
