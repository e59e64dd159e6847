using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tidings.Library.Tests.Support;
using Tidings.Protocols;

namespace Tidings.Library.Tests;

/// <summary><c>UseTidings</c> passes by the app's middlewares, so the app must not start where one of them was meant to see the WebSocket.</summary>
public sealed class EarlyUpgradeStartTests
{
    [Fact]
    public async Task Without_anything_that_it_would_pass_by_it_serves_before_HTTP()
    {
        var requests = 0;
        await using var app = await HostApp.StartAsync(
            map: app =>
            {
                app.Use((context, next) =>
                {
                    if (context.Request.Path == "/ws") requests++;
                    return next(context);
                });
                app.MapTidings().WithTags("live").AllowAnonymous();
            },
            listen: static listen => listen.UseTidings());
        await using var client = await app.ConnectAsync("ann");
        await client.SubscribeAsync("room:1");
        await app.Tidings.PublishAsync("room:1", "hello", 1);
        await client.WaitForAsync(message => message.GetProperty("type").GetString() == "hello", "hello");
        requests.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Demands))]
    public async Task What_it_would_pass_by_stops_the_start(Action<IServiceCollection> services, Action<WebApplication> map, string what)
    {
        await using (await HostApp.StartAsync(services: services, map: map))
        {
            // Without UseTidings there is nothing wrong with it.
        }

        var refusal = await Should.ThrowAsync<InvalidOperationException>(
            () => HostApp.StartAsync(services: services, map: map, listen: static listen => listen.UseTidings()));
        refusal.Message.ShouldStartWith("UseTidings serves /ws before HTTP, but ");
        refusal.Message.ShouldContain(what);
    }

    public static TheoryData<Action<IServiceCollection>, Action<WebApplication>, string> Demands => new()
    {
        { Nothing, static app => app.MapTidings().RequireAuthorization(), "AuthorizeAttribute" },
        { Nothing, static app => app.MapTidings().RequireHost("app.example"), "HostAttribute" },
        { Nothing, static app => app.MapTidings().RequireCors("pages"), "EnableCorsAttribute" },
        { Nothing, static app => app.MapTidings().AddEndpointFilter(static (context, next) => next(context)), "endpoint filters" },
        { Nothing, static app => app.MapTidings().WithMetadata(new OwnDemand()), "OwnDemand" },
        { Nothing, static app => app.MapGroup("/live").MapTidings(), "/live/ws" },
        { Nothing, static app => app.MapGroup("").RequireAuthorization().MapTidings(), "AuthorizeAttribute" },
        { Nothing, static _ => { }, "MapTidings was not called" },
        { static services => services.AddRateLimiter(_ => { }), static app => app.MapTidings().RequireRateLimiting("few"), "EnableRateLimitingAttribute" },
        {
            static services => services.AddRateLimiter(limits =>
                limits.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(_ => RateLimitPartition.GetNoLimiter("all"))),
            static app => app.MapTidings(), "global rate limiter"
        },
        {
            static services => services.Configure<AuthorizationOptions>(options => options.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build()),
            static app => app.MapTidings(), "FallbackPolicy"
        },
        { static services => services.Configure<HostFilteringOptions>(options => options.AllowedHosts = ["app.example"]), static app => app.MapTidings(), "AllowedHosts" },
    };

    private static void Nothing(IServiceCollection services)
    {
    }

    private sealed class OwnDemand;
}
