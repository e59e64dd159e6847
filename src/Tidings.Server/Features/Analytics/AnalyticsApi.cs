using System.Text.Json.Serialization;
using Tidings.Server.Events;

namespace Tidings.Server.Features.Analytics;

/// <summary>The routes of figures, and what keeps them.</summary>
internal static class AnalyticsApi
{
    public static IServiceCollection AddAnalytics(this IServiceCollection services) => services.AddHostedService<AnalyticsFlush>();

    public static IEndpointRouteBuilder MapAnalytics(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/analytics").WithTags("analytics").RequireAuthorization();
        group.MapGet("/overview", GetOverview.HandleAsync).WithName("GetAnalyticsOverview")
            .WithSummary("The signed-in user's figures, in all and day by day (UTC).").Produces<OverviewAnswer>().ProducesProblem(400);
        group.MapGet("/posts/{id}", GetPostAnalytics.HandleAsync).WithName("GetPostAnalytics").WithSummary("What one of the user's own posts got.")
            .Produces<PostAnalyticsAnswer>().ProducesProblem(404);
        return routes;
    }
}

/// <summary>The figures of a user between two days, both included.</summary>
/// <param name="From">The first day.</param>
/// <param name="To">The last day.</param>
/// <param name="Totals">All there is now, whenever it came.</param>
/// <param name="Income">What was paid to the user in these days, by currency.</param>
/// <param name="Platforms">What was to be published in these days, by platform.</param>
/// <param name="Days">Each of the days.</param>
internal sealed record OverviewAnswer(
    string From, string To, CreatorFigures Totals, IReadOnlyList<Income> Income, IReadOnlyList<PlatformFigures> Platforms, IReadOnlyList<DayFigures> Days);

/// <summary>How publishing to one platform went: what is neither published nor failed is still under way, or nobody can tell.</summary>
internal sealed record PlatformFigures(string Platform, long Posts, long Published, long Failed);

/// <summary>What one day brought; what was taken back on it counts against it.</summary>
internal sealed record DayFigures(string Date, long Posts, long Likes, long Comments, long Followers, IReadOnlyList<Income> Income);

/// <summary>What a post got.</summary>
internal sealed record PostAnalyticsAnswer(string PostId, long Likes, long Comments, long Purchases, long Tips, IReadOnlyList<Income> Income, IReadOnlyList<PostOnPlatform> Platforms);

/// <summary>Where a post was to be published, and what came of it.</summary>
internal sealed record PostOnPlatform(string TargetId, string Platform, string Status, string? Url);

/// <summary>The shapes of the answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OverviewAnswer))]
[JsonSerializable(typeof(PostAnalyticsAnswer))]
internal sealed partial class AnalyticsJson : JsonSerializerContext
{
    public static AnalyticsJson Answers => field ??= new(EventJson.Options(Default.Options));
}
