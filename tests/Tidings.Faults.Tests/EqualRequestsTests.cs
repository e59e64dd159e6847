using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F26: fifty equal requests at once, and the power goes off in the middle of them.</summary>
public sealed class EqualRequestsTests(ITestOutputHelper output)
{
    private const int Equal = 50;

    [Fact]
    public async Task Fifty_equal_requests_have_one_effect_and_one_answer_although_the_server_is_killed_between()
    {
        var rounds = TestRun.Number(20, 200);
        var chance = TestRun.Chance();
        output.WriteLine($"seed {TestRun.Seed}, {rounds} rounds");
        await using var server = await ServerProcess.StartAsync();
        using var ann = await Account.RegisterAsync(server, "equalAnn");
        using var bob = await Account.RegisterAsync(server, "equalBob");
        var post = (await ann.PostAsync("the post")).Text("id")!;
        var conversation = (await SendUntilAnsweredAsync(server, ann, "/api/conversations", new { members = new[] { bob.Id } }, "begin"))
            .GetProperty("conversation").Text("id")!;
        (string Path, string List, string Items, Func<string, object> Body)[] kinds =
        [
            ("/api/posts", $"/api/posts?creatorId={ann.Id}&limit=2", "posts", text => new { content = text }),
            ($"/api/posts/{post}/comments", $"/api/posts/{post}/comments?limit=2", "comments", text => new { content = text }),
            ($"/api/conversations/{conversation}/messages", $"/api/conversations/{conversation}/messages?limit=2", "messages", text => new { content = text }),
            ("/api/messages", $"/api/conversations/{conversation}/messages?limit=2", "messages", text => new { to = bob.Id, content = text }),
        ];

        var unanswered = 0;
        for (var round = 0; round < rounds; round++)
        {
            var (path, list, items, body) = kinds[round % kinds.Length];
            var text = $"round {round}";
            var (before, _) = await NewestAsync(ann, list, items);
            var sending = Enumerable.Range(0, Equal).Select(_ => Task.Run(
                () => SendUntilAnsweredAsync(server, ann, path, body(text), $"key {round}", () => Interlocked.Increment(ref unanswered)))).ToList();
            await Task.Delay(chance.Next(0, 250)); // before all are answered, or after
            await server.KillAsync();
            await server.StartAgainAsync();
            var answers = await Task.WhenAll(sending);

            answers.Select(answer => answer.GetRawText()).Distinct().Count().ShouldBe(1, $"round {round}: one answer");
            var (newest, second) = await NewestAsync(ann, list, items);
            newest.ShouldNotBe(before, $"round {round}: an effect");
            second.ShouldBe(before, $"round {round}: and not two");

            using var other = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body($"{text}, other words")) };
            other.Headers.Add("Idempotency-Key", $"key {round}");
            using var refused = await ann.Http.SendAsync(other);
            (await Account.ReadAsync(refused, HttpStatusCode.UnprocessableEntity)).Text("code").ShouldBe("idempotency_key_reused", $"round {round}: another request");
        }

        (await ann.GetAllPostsAsync($"creatorId={ann.Id}")).Count.ShouldBe(1 + ((rounds + 3) / 4), "the first, and one of each round of posts");
        (await ann.GetAsync($"/api/posts/{post}")).GetProperty("post").GetProperty("metadata").GetProperty("commentsCount").GetInt32().ShouldBe((rounds + 2) / 4);
        output.WriteLine($"{unanswered} of {rounds * Equal} requests were without an answer at first");
        unanswered.ShouldBeGreaterThan(0, "otherwise the kills came too late to show anything");
    }

    /// <summary>Sends a request, again and again if there is no answer, which a key makes safe.</summary>
    private static async Task<JsonElement> SendUntilAnsweredAsync(
        ServerProcess server, Account account, string path, object body, string key, Action? onSilence = null)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
                request.Headers.Add("Idempotency-Key", key);
                using var answer = await account.Http.SendAsync(request);
                if (answer.StatusCode != HttpStatusCode.ServiceUnavailable) return await Account.ReadAsync(answer, HttpStatusCode.Created);
            }
            catch (Exception error) when (error is HttpRequestException { StatusCode: null } or TaskCanceledException or IOException)
            {
                if (isFirst) onSilence?.Invoke();
            }

            await Eventually.HoldsAsync(server.IsReadyAsync, "the server is back", TimeSpan.FromSeconds(60));
        }
    }

    /// <summary>The ids of the newest two of a list.</summary>
    private static async Task<(string? First, string? Second)> NewestAsync(Account account, string list, string items)
    {
        var page = (await account.GetAsync(list)).GetProperty(items);
        return (page.GetArrayLength() > 0 ? page[0].Text("id") : null, page.GetArrayLength() > 1 ? page[1].Text("id") : null);
    }
}
