using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Tidings.Server.Features.Likes;
using Tidings.Server.Tests.Posts;
using Tidings.Testing;
using Xunit;

namespace Tidings.Server.Tests.Events;

/// <summary>F27: whatever the order in which the server's events arrive, and however often, the page shows what the server has.</summary>
public sealed class ConvergenceTests(PostsApp app, ITestOutputHelper output) : IClassFixture<PostsApp>
{
    private const string FirstText = "first";

    [Fact]
    public async Task F27_events_in_any_order_and_repeated_lead_to_what_the_server_answers()
    {
        output.WriteLine($"seed {TestRun.Seed}");
        for (var round = 0; round < TestRun.Number(inQuickRun: 5, inLongRun: 50); round++)
        {
            var ann = PostsApp.NewUser();
            using var author = await app.ClientAsync(ann);
            var post = (await author.PostAsync(new { content = FirstText })).Text("id");
            await LiveAsync(author, post, TestRun.Chance(round));
            var (events, expected) = await SettleAsync(author, ann, post);

            var orders = Gen.Shuffle(events).SelectMany(all => Gen.ArrayOf(Gen.Elements(events)).SelectMany(again => Gen.Shuffle([.. all, .. again])));
            Prop.ForAll(orders.ToArbitrary(), order =>
            {
                var page = new PageState();
                foreach (var (type, payload) in order) page.Apply(type, payload);
                page.Describe(FirstText).ShouldBe(expected);
            }).QuickCheckThrowOnFailure();
        }
    }

    /// <summary>Some people and the author do what they like for a while.</summary>
    private async Task LiveAsync(HttpClient author, string post, Random random)
    {
        var people = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => app.ClientAsync(PostsApp.NewUser())));
        var path = $"/api/posts/{post}";
        var comments = new List<(string Id, HttpClient By)>();
        for (var step = 0; step < 40; step++)
        {
            var who = people[random.Next(people.Length)];
            switch (random.Next(9))
            {
                case 0:
                    await author.PatchAsJsonAsync(path, new { content = $"text {step}" }).JsonAsync();
                    break;
                case 1:
                    await who.PostAsync($"{path}/like", null).JsonAsync();
                    break;
                case 2:
                    await who.DeleteAsync($"{path}/like").JsonAsync();
                    break;
                case 3 when comments.Count > 0:
                    var (edited, by) = comments[random.Next(comments.Count)];
                    await by.PatchAsJsonAsync($"{path}/comments/{edited}", new { content = $"edit {step}" }).JsonAsync();
                    break;
                case 4 when comments.Count > 0:
                    var index = random.Next(comments.Count);
                    await author.DeleteAsync($"{path}/comments/{comments[index].Id}").JsonAsync(HttpStatusCode.NoContent);
                    comments.RemoveAt(index);
                    break;
                case 5 when (await author.GetAsync("/api/user/notifications").JsonAsync())["notifications"]!.AsArray() is [.., var oldest]:
                    await author.PostAsync($"/api/user/notifications/{oldest!.Text("id")}/read", null).JsonAsync();
                    break;
                case 6 when random.Next(4) == 0:
                    await author.PostAsync("/api/user/notifications/read-all", null).JsonAsync();
                    break;
                case 7 when random.Next(6) == 0:
                    await author.DeleteAsync("/api/user/notifications").JsonAsync(HttpStatusCode.NoContent);
                    break;
                default:
                    comments.Add(((await who.PostAsJsonAsync($"{path}/comments", new { content = $"comment {step}" }).JsonAsync(HttpStatusCode.Created)).Text("comment.id"), who));
                    break;
            }

            // Else all likes of the round would be one event.
            if (random.Next(4) == 0) await app.Services.GetRequiredService<CounterFlush>().FlushAsync(CancellationToken.None);
        }

        foreach (var person in people) person.Dispose();
    }

    private async Task<((string Type, JsonNode Payload)[] Events, string Expected)> SettleAsync(HttpClient author, string userId, string post)
    {
        await app.Services.GetRequiredService<CounterFlush>().FlushAsync(CancellationToken.None);
        await app.Services.GetRequiredService<LikeNotices>().FlushAsync(CancellationToken.None);
        await Eventually.HoldsAsync(
            async () => (await app.Store.QueryAsync<long>(
                "SELECT (SELECT COUNT(*) FROM pending_counters) + (SELECT COUNT(*) FROM pending_like_notices)", new { }, CancellationToken.None))[0] == 0,
            "nothing is left to be told");

        var shown = (await author.GetAsync($"/api/posts/{post}").JsonAsync())["post"]!;
        var comments = await author.GetAsync($"/api/posts/{post}/comments?limit=100").JsonAsync();
        var notifications = await author.GetAsync("/api/user/notifications?limit=100").JsonAsync();
        var expected = PageState.Describe(
            shown.Text("content.text"),
            shown["metadata"]!["likesCount"]!.GetValue<long>(),
            shown["metadata"]!["commentsCount"]!.GetValue<long>(),
            comments["comments"]!.AsArray().Select(comment => $"{comment!.Text("id")}={comment!.Text("content")}"),
            notifications["unreadCount"]!.GetValue<long>(),
            notifications["notifications"]!.AsArray().Select(one => $"{one!.Text("id")}={one!.Text("message")} {one!["isRead"]!.GetValue<bool>()}"));
        var events = (await app.EventsAsync($"post:{post}")).Concat(await app.EventsAsync($"notifications:{userId}"));
        return ([.. events.Select(one => (one.Type, one.Payload))], expected);
    }
}
