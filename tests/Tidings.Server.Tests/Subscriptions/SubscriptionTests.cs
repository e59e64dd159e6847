using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Tidings.Server.Events;
using Tidings.Server.Features.Purchases;
using Tidings.Server.Features.Subscriptions;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Subscriptions;

public sealed class SubscriptionTests(PostsApp app) : IClassFixture<PostsApp>
{
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);

    [Fact]
    public async Task A_grant_counts_once_is_told_without_who_to_everybody_and_with_who_to_the_creator()
    {
        var (reader, creator) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var mine = await app.ClientAsync(reader);
        using var theirs = await app.ClientAsync(creator);

        (await GrantAsync(reader, creator, 1, Month)).ShouldNotBeNull();
        (await GrantAsync(reader, creator, 2, Month)).ShouldNotBeNull();

        var view = await mine.GetAsync($"/api/creators/{creator}").JsonAsync();
        view.Text("creator.subscribersCount").ShouldBe("1");
        view.Text("creator.isFollowing").ShouldBe("true", "a subscriber has the posts in the feed");
        var told = (await app.EventsAsync($"creator:{creator}")).Where(one => one.Type == "new_subscription").ToList();
        told.Count.ShouldBe(2);
        told[0].Payload.ToJsonString().ShouldBe($$"""{"creatorId":"{{creator}}","subscribersCount":1}""");
        (await app.EventsAsync($"user:{creator}"))[0].Payload.Text("subscription.userId").ShouldBe(reader);
        (await app.EventsAsync($"feed:{reader}"))[^1].Payload.Text("reason").ShouldBe("subscribed");
        (await mine.GetAsync("/api/subscriptions").JsonAsync())["subscriptions"]!.AsArray().Count.ShouldBe(2);
        (await theirs.GetAsync("/api/subscriptions").JsonAsync())["subscriptions"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_payment_grants_once_and_a_refund_takes_back_only_what_it_gave()
    {
        var (reader, creator) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var mine = await app.ClientAsync(reader);
        await app.AddUserAsync(creator);
        var payment = PostsApp.NewUser();

        var grants = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => GrantAsync(reader, creator, 2, Month, payment)));
        grants.Count(grant => grant is not null).ShouldBe(1);
        await GrantAsync(reader, creator, 1, Month);

        (await EndAsync(payment)).ShouldBeTrue();
        (await EndAsync(payment)).ShouldBeFalse();
        (await mine.GetAsync($"/api/creators/{creator}").JsonAsync()).Text("creator.subscribersCount").ShouldBe("1");
        (await mine.GetAsync("/api/subscriptions").JsonAsync())["subscriptions"]!.AsArray().Select(one => one!.Text("status")).ShouldBe(["active", "ended"], ignoreOrder: true);
        (await app.EventsAsync($"feed:{reader}"))[^1].Payload.Text("reason").ShouldBe("subscription_refunded");
    }

    [Fact]
    public async Task What_is_canceled_stays_until_it_expires_and_nobody_else_can_cancel_it()
    {
        var (reader, creator) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var mine = await app.ClientAsync(reader);
        using var theirs = await app.ClientAsync(creator);
        var path = $"/api/subscriptions/{(await GrantAsync(reader, creator, 1, Month))!.Id}";

        (await theirs.DeleteAsync(path).JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
        foreach (var _ in (int[])[1, 2]) (await mine.DeleteAsync(path).JsonAsync()).Text("subscription.status").ShouldBe("canceled");
        (await mine.GetAsync($"/api/creators/{creator}").JsonAsync()).Text("creator.subscribersCount").ShouldBe("1");
    }

    [Fact]
    public async Task What_is_over_is_marked_once_and_told()
    {
        var (reader, creator) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var mine = await app.ClientAsync(reader);
        await app.AddUserAsync(creator);
        await GrantAsync(reader, creator, 1, TimeSpan.FromSeconds(-1));
        using var expiry = new SubscriptionExpiry(app.Store, TimeProvider.System, NullLogger<SubscriptionExpiry>.Instance);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => expiry.MarkAsync(CancellationToken.None)));

        (await app.EventsAsync($"feed:{reader}")).Count(one => one.Payload.Text("reason") == "subscription_expired").ShouldBe(1);
        (await mine.GetAsync($"/api/creators/{creator}").JsonAsync()).Text("creator.subscribersCount").ShouldBe("0");
        (await mine.GetAsync("/api/subscriptions").JsonAsync())["subscriptions"]![0]!.Text("status").ShouldBe("expired");
    }

    [Fact]
    public async Task A_bought_post_is_given_back_only_when_every_payment_is()
    {
        var (reader, post) = (PostsApp.NewUser(), PostsApp.NewUser());
        var (first, second) = (PostsApp.NewUser(), PostsApp.NewUser());
        var now = DateTimeOffset.UtcNow;
        foreach (var payment in (string[])[first, first, second])
            await app.Store.WriteAsync(async write => await Purchases.GrantAsync(write, reader, post, payment, now), CancellationToken.None);
        (await app.Store.WriteAsync(async write => await Purchases.EndAsync(write, first, now), CancellationToken.None)).ShouldBeTrue();
        (await app.EventsAsync($"feed:{reader}")).Count(one => one.Payload.Text("reason") == "purchase_refunded").ShouldBe(0);
        (await app.Store.WriteAsync(async write => await Purchases.EndAsync(write, second, now), CancellationToken.None)).ShouldBeTrue();
        (await app.EventsAsync($"feed:{reader}"))[^1].Payload.ToJsonString().ShouldBe($$"""{"reason":"purchase_refunded","creatorId":null,"postIds":["{{post}}"]}""");
    }

    private Task<SubscriptionView?> GrantAsync(string reader, string creator, long level, TimeSpan length, string? payment = null)
    {
        var now = DateTimeOffset.UtcNow;
        payment ??= PostsApp.NewUser();
        return app.Store.WriteAsync(
            async write => await SubscriptionGrants.GrantAsync(write, new SubscriptionGrant(reader, creator, level, now + length, payment), now), CancellationToken.None);
    }

    private Task<bool> EndAsync(string payment)
    {
        var now = DateTimeOffset.UtcNow;
        return app.Store.WriteAsync(async write => await SubscriptionGrants.EndAsync(write, payment, now), CancellationToken.None);
    }
}
