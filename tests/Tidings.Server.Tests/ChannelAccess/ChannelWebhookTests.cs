using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth;
using Tidings.Server.ChannelAccess;
using Tidings.Server.Features.Accounts;
using Tidings.Server.Host;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.ChannelAccess;

public sealed class ChannelWebhookTests(PostsApp app) : IClassFixture<PostsApp>
{
    private readonly FakeClock _clock = new();

    [Fact]
    public async Task It_asks_a_signed_question()
    {
        await using var host = await HostApp.StartAsync();
        using var webhook = Asking(host);

        (await webhook.AllowsAsync("42", Channel("post:7"), CancellationToken.None)).ShouldBeTrue();

        var (headers, body) = host.Questions.ShouldHaveSingleItem();
        body.ShouldBe("""{"userId":"42","channel":"post:7","action":"subscribe"}""");
        headers.ContentType.ToString().ShouldBe("application/json");
        headers["webhook-timestamp"].ToString().ShouldBe($"{_clock.GetUtcNow().ToUnixTimeSeconds()}");
        var signed = $"{headers["webhook-id"]}.{headers["webhook-timestamp"]}.{body}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(PostsApp.AppSecret), Encoding.UTF8.GetBytes(signed));
        headers["webhook-signature"].ToString().ShouldBe($"v1,{Convert.ToBase64String(signature)}");

        await webhook.AllowsAsync(null, Channel("post:7"), CancellationToken.None);
        host.Questions.Last().Body.ShouldBe("""{"userId":null,"channel":"post:7","action":"subscribe"}""");
        host.Questions.Select(question => question.Headers["webhook-id"].ToString()).Distinct().Count().ShouldBe(2);
    }

    [Theory]
    [InlineData("""{"allow":true,"cacheSeconds":60}""", true)]
    [InlineData("""{"allow":false,"cacheSeconds":60}""", false)]
    public async Task An_answer_is_remembered_for_as_long_as_it_says(string answer, bool isAllowed)
    {
        await using var host = await HostApp.StartAsync();
        host.Answer = (context, _) => context.Response.WriteAsync(answer);
        using var webhook = Asking(host);

        for (var time = 0; time < 3; time++) (await webhook.AllowsAsync("42", Channel("post:7"), CancellationToken.None)).ShouldBe(isAllowed);
        host.Questions.Count.ShouldBe(1);
        await webhook.AllowsAsync("4", Channel("post:7"), CancellationToken.None);
        await webhook.AllowsAsync("42", Channel("post:8"), CancellationToken.None);
        host.Questions.Count.ShouldBe(3, "another user and another channel are other questions");

        _clock.Advance(TimeSpan.FromSeconds(60));
        await webhook.AllowsAsync("42", Channel("post:7"), CancellationToken.None);
        host.Questions.Count.ShouldBe(4);
    }

    [Fact]
    public async Task Many_who_want_to_know_the_same_ask_once()
    {
        await using var host = await HostApp.StartAsync();
        var gate = new TaskCompletionSource();
        host.Answer = async (context, _) =>
        {
            await gate.Task;
            await context.Response.WriteAsync("""{"allow":true}""");
        };
        using var webhook = Asking(host);

        using var impatient = new CancellationTokenSource();
        var first = webhook.AllowsAsync("42", Channel("post:7"), impatient.Token).AsTask();
        var others = Enumerable.Range(0, 20).Select(_ => webhook.AllowsAsync("42", Channel("post:7"), CancellationToken.None).AsTask()).ToList();
        await impatient.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(first);
        gate.SetResult();

        (await Task.WhenAll(others)).ShouldAllBe(isAllowed => isAllowed);
        host.Questions.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(200, """{"allow":"yes"}""")]
    [InlineData(200, """{"allow":1}""")]
    [InlineData(200, """{}""")]
    [InlineData(200, """[true]""")]
    [InlineData(200, """{"allow":false,"allow":true}""")]
    [InlineData(200, """{"allow":true,"cacheSeconds":"60"}""")]
    [InlineData(200, """{"allow":true,"cacheSeconds":-1}""")]
    [InlineData(200, """{"allow":true,"\ud800":1}""")]
    [InlineData(200, """{"allow":true""")]
    [InlineData(200, "")]
    [InlineData(201, """{"allow":true}""")]
    [InlineData(302, """{"allow":true}""")]
    [InlineData(401, """{"allow":true}""")]
    [InlineData(500, """{"allow":true}""")]
    public async Task No_usable_answer_lets_nobody_in(int status, string answer)
    {
        await using var host = await HostApp.StartAsync();
        host.Answer = (context, _) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "/elsewhere";
            return context.Response.WriteAsync(answer);
        };
        using var webhook = Asking(host);

        await Should.ThrowAsync<ChannelWebhookException>(webhook.AllowsAsync("42", Channel("post:7"), CancellationToken.None).AsTask());
        host.Questions.Count.ShouldBe(1, "neither a redirect nor a repetition");
    }

    [Fact]
    public async Task An_answer_that_is_too_long_or_too_late_or_not_there_lets_nobody_in()
    {
        await using var host = await HostApp.StartAsync();
        using var webhook = Asking(host);
        host.Answer = static (context, _) => context.Response.WriteAsync($$"""{"allow":true,"more":"{{new string('x', ChannelWebhook.MaxAnswerBytes)}}"}""");
        await Should.ThrowAsync<ChannelWebhookException>(webhook.AllowsAsync("42", Channel("post:7"), CancellationToken.None).AsTask());

        var isAsked = new TaskCompletionSource();
        host.Answer = (context, _) =>
        {
            isAsked.TrySetResult();
            return Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        var waiting = webhook.AllowsAsync("42", Channel("post:8"), CancellationToken.None).AsTask();
        await isAsked.Task;
        _clock.Advance(ChannelWebhook.Timeout);
        await Should.ThrowAsync<ChannelWebhookException>(waiting);

        using var deaf = new ChannelWebhook(
            new Uri("http://127.0.0.1:9/"), Secrets, Revocations, ChannelWebhook.CreateHandler(), _clock, NullLogger<ChannelWebhook>.Instance);
        await Should.ThrowAsync<ChannelWebhookException>(deaf.AllowsAsync("42", Channel("post:7"), CancellationToken.None).AsTask());
    }

    [Fact]
    public async Task A_remembered_answer_ends_with_a_revocation()
    {
        await using var host = await HostApp.StartAsync();
        host.Answer = static (context, _) => context.Response.WriteAsync("""{"allow":true,"cacheSeconds":3600}""");
        using var webhook = new ChannelWebhook(
            host.Url, Secrets, Revocations, ChannelWebhook.CreateHandler(), TimeProvider.System, NullLogger<ChannelWebhook>.Instance);
        var channel = Channel($"post:{PostsApp.NewUser()}");
        await webhook.AllowsAsync("42", channel, CancellationToken.None);

        host.Answer = static (context, _) => context.Response.WriteAsync("""{"allow":false}""");
        (await webhook.AllowsAsync("42", channel, CancellationToken.None)).ShouldBeTrue("it was told to remember");
        await Revocations.RevokeChannelAsync(channel, null, CancellationToken.None);

        (await webhook.AllowsAsync("42", channel, CancellationToken.None)).ShouldBeFalse();
    }

    [Theory]
    // what Tidings does not know itself is asked; what it knows, and what belongs to one user, is not
    [InlineData("post:elsewhere", "42", true)]
    [InlineData("post:elsewhere", null, false)]
    [InlineData("creator:elsewhere", "42", true)]
    [InlineData("conversation:elsewhere", "42", true)]
    [InlineData("feed:7", "42", false)]
    [InlineData("user:7", "42", false)]
    [InlineData("notifications:7", "42", false)]
    [InlineData("mine:7", "42", false)]
    [InlineData("club:7", null, false)]
    [InlineData("ticket:7", "42", false)]
    [InlineData("public:other", "42", false)]
    [InlineData("asked:7", "42", true)]
    [InlineData("asked:7", null, true)]
    public async Task Only_what_is_the_hosts_to_decide_is_asked(string channel, string? user, bool isAsked)
    {
        await using var host = await HostApp.StartAsync();
        using var webhook = Asking(host);
        var authorizer = Authorizer(webhook);

        (await authorizer.AuthorizeAsync(new ClientIdentity(user, null), Channel(channel), null, CancellationToken.None)).IsAllowed.ShouldBe(isAsked);
        host.Questions.IsEmpty.ShouldBe(!isAsked);
    }

    [Fact]
    public async Task A_post_that_tidings_knows_is_not_the_hosts_to_open()
    {
        await using var host = await HostApp.StartAsync();
        using var webhook = Asking(host);
        using var author = await app.ClientAsync("42");
        var open = (await author.PostAsync(new { content = "a" })).Text("id");
        var deleted = (await author.PostAsync(new { content = "a" })).Text("id");
        await author.DeleteAsync($"/api/posts/{deleted}");
        var authorizer = Authorizer(webhook);

        (await authorizer.AuthorizeAsync(new ClientIdentity("42", null), Channel($"post:{open}"), null, CancellationToken.None)).IsAllowed.ShouldBeTrue();
        (await authorizer.AuthorizeAsync(new ClientIdentity("42", null), Channel($"post:{deleted}"), null, CancellationToken.None)).IsAllowed.ShouldBeFalse();
        host.Questions.ShouldBeEmpty();
    }

    private static ChannelCatalog Catalog { get; } = new(
        PostsApp.Catalog.Kinds.Append(new("asked", new ChannelRules { Access = AccessRule.Webhook })), ["post_created"]);

    private static HostSecrets Secrets { get; } = new("", "", PostsApp.AppSecret);

    private Revocations Revocations => app.Services.GetRequiredService<Revocations>();

    private static ChannelName Channel(string text)
    {
        Catalog.Parse(text, out var name).ShouldBe(ChannelNameError.None);
        return name!;
    }

    private ChannelWebhook Asking(HostApp host) =>
        new(host.Url, Secrets, Revocations, ChannelWebhook.CreateHandler(), _clock, NullLogger<ChannelWebhook>.Instance);

    private ChannelAuthorizer Authorizer(ChannelWebhook webhook) =>
        new(Catalog, app.Services.GetRequiredService<SubscriptionTokens>(), Revocations, app.Services.GetRequiredService<KnownUsers>(), app.Services.GetRequiredService<LiveRights>(), app.Store, TimeProvider.System, webhook);
}
