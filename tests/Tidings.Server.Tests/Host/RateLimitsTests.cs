using System.Net;
using Microsoft.AspNetCore.Builder;
using Shouldly;
using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Tests.Accounts;
using Xunit;

namespace Tidings.Server.Tests.Host;

public sealed class RateLimitsTests
{
    [Fact]
    public async Task A_user_has_a_burst_of_three_seconds_and_then_a_rate()
    {
        await using var app = await StartAsync();
        using var client = app.Client(app.HostToken());
        for (var i = 0; i < 6; i++) (await client.GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var refused = await client.GetAsync("/api/open");
        (await AccountsApp.ProblemAsync(refused)).ShouldBe((429, "rate_limited"));
        refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));

        (await app.Client(app.HostToken("\"sub\":\"43\"")).GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.OK);
        app.Clock.Advance(TimeSpan.FromSeconds(1));
        (await client.GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task An_address_is_counted_before_its_token_is_looked_at_and_a_proxy_tells_whose_it_is()
    {
        await using var app = await StartAsync(("Limits:RequestsPerSecondPerAddress", "2"));
        for (var i = 0; i < 6; i++) (await From(app, "203.0.113.7").GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        (await From(app, "203.0.113.7").GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        (await From(app, "203.0.113.8").GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await From(app, "203.0.113.7").GetAsync("/open")).StatusCode.ShouldBe(HttpStatusCode.OK);

        for (var i = 0; i < 6; i++) await From(app, $"2001:db8:1:2::{i}").GetAsync("/api/open");
        (await From(app, "2001:db8:1:2:ffff::1").GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        (await From(app, "2001:db8:1:3::1").GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_forwarded_address_is_believed_from_trusted_proxies_only()
    {
        await using var app = await StartAsync(("Limits:RequestsPerSecondPerAddress", "2"), ("TrustedProxies", "none"));
        for (var i = 0; i < 6; i++) (await From(app, $"203.0.113.{i}").GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await From(app, "203.0.113.99").GetAsync("/api/open")).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Whoever_shows_the_apps_secret_is_not_limited()
    {
        await using var app = await StartAsync(("Limits:RequestsPerSecondPerAddress", "1"), ("Limits:RequestsPerSecondPerUser", "1"));
        using var backend = app.Client(AccountsApp.AppSecret);
        for (var i = 0; i < 20; i++) (await backend.GetAsync("/api/backend")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void Buckets_keep_bounded_memory()
    {
        var clock = new FakeClock();
        var buckets = new TokenBuckets<int>(perSecond: 1, burst: 1, clock, capacity: 100);
        for (var i = 0; i < 10_000; i++) buckets.TryTake(i, out _).ShouldBeTrue();
        buckets.TryTake(9_999, out var retryAfter).ShouldBeFalse();
        retryAfter.ShouldBe(TimeSpan.FromSeconds(1));
        buckets.TryTake(0, out _).ShouldBeTrue();   // forgotten long ago
    }

    [Fact]
    public void A_cache_holds_two_generations_and_keeps_what_is_used()
    {
        var cache = new BoundedCache<int, string>(capacity: 10);
        cache.Set(0, "kept");
        for (var i = 1; i < 1_000; i++)
        {
            cache.Set(i, "x");
            cache.TryGet(0, out var value).ShouldBeTrue();
            value.ShouldBe("kept");
            cache.Count.ShouldBeLessThanOrEqualTo(20);
        }

        cache.TryGet(500, out _).ShouldBeFalse();
        cache.Remove(0);
        cache.TryGet(0, out _).ShouldBeFalse();
    }

    private static HttpClient From(AccountsApp app, string address)
    {
        var client = app.Client("not.a.token");
        client.DefaultRequestHeaders.Add("X-Forwarded-For", address);
        return client;
    }

    private static Task<AccountsApp> StartAsync(params (string Key, string Value)[] settings) => AccountsApp.StartAsync(
        app =>
        {
            app.MapGet("/api/open", () => "x");
            app.MapGet("/open", () => "x");
            app.MapGet("/api/backend", () => "x").RequireAuthorization(AuthSetup.Backend);
        },
        [("Limits:RequestsPerSecondPerUser", "2"), .. settings]);
}
