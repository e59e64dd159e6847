using Tidings.Server.Host;

namespace Tidings.Server.Features.Posts;

/// <summary>Registers what posts need.</summary>
internal static class PostsSetup
{
    /// <param name="services">The host's services; they have a Store, an IDurableEventLog and a TimeProvider.</param>
    /// <param name="limits">How big posts may be.</param>
    public static IServiceCollection AddPosts(this IServiceCollection services, PostLimits limits) =>
        services
            .AddSingleton(limits)
            .AddSingleton<PublicPostsRate>()
            .AddSingleton<PublicPostsFlush>()
            .AddHostedService(provider => provider.GetRequiredService<PublicPostsFlush>())
            .AddHostedService<IdempotencyCleanup>();
}
