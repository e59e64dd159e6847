namespace Tidings.Server.Features.Likes;

/// <summary>Registers what likes need.</summary>
internal static class LikesSetup
{
    public static IServiceCollection AddLikes(this IServiceCollection services) =>
        services
            .AddSingleton<CounterFlush>()
            .AddHostedService(provider => provider.GetRequiredService<CounterFlush>())
            .AddSingleton<LikeNotices>()
            .AddHostedService(provider => provider.GetRequiredService<LikeNotices>())
            .AddSingleton<LikeWriter>();
}
