using Tidings.Realtime;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Presence;
using Tidings.Server.Features.Realtime;
using Tidings.Server.Host;
using Tidings.Server.Scaleout.Postgres;
using Tidings.Server.Scaleout.Redis;

namespace Tidings.Server.Scaleout;

/// <summary>Registers what connects this node with others. Before the engine, which otherwise is alone.</summary>
internal static class ScaleoutSetup
{
    public static IServiceCollection AddScaleout(this IServiceCollection services, TidingsOptions options)
    {
        if (options.RedisIngress is { } prefix) services.AddRedisIngress(options, prefix);
        if (options.Redis.Count == 0 || !options.IsShared) services.AddSingleton<IReaderCounts, OwnReaderCounts>();
        if (!options.IsShared) return services;
        services
            .AddHostedService<AccessChanges>()
            .AddSingleton<BusMetrics>()
            .AddSingleton(provider => new BusSeal(provider.GetRequiredService<HostSecrets>().AppSecret));
        if (options.Redis.Count == 0) return services.AddSingleton<IBroker>(provider => Notify(provider, options));

        return services
            .AddSingleton(new RedisNames(options.App.Id))
            .AddSingleton(options.Redis)
            .AddSingleton<IBroker, RedisBroker>()
            .AddSingleton<IPresenceStore>(provider => new RedisPresenceStore(
                options.Redis[0],
                provider.GetRequiredService<RedisNames>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<RedisPresenceStore>>()))
            .AddSingleton(provider => new RedisReaderCounts(
                provider.GetRequiredService<RealtimeEngine>(),
                options.Redis[0],
                provider.GetRequiredService<RedisNames>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<RedisReaderCounts>>()))
            .AddSingleton<IReaderCounts>(static provider => provider.GetRequiredService<RedisReaderCounts>())
            .AddHostedService(static provider => provider.GetRequiredService<RedisReaderCounts>());
    }

    private static void AddRedisIngress(this IServiceCollection services, TidingsOptions options, string prefix) => services
        .AddSingleton<PublishFromRedis>()
        .AddHostedService(provider => new RedisIngress(
            options.Redis,
            prefix,
            new RedisNames(options.App.Id),
            provider.GetRequiredService<PublishFromRedis>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RedisIngress>>()));

    private static NotifyBroker Notify(IServiceProvider provider, TidingsOptions options) => new(
        options.Database!,
        options.App.Id,
        provider.GetRequiredService<BusSeal>(),
        provider.GetRequiredService<BusMetrics>(),
        provider.GetRequiredService<TimeProvider>(),
        provider.GetRequiredService<ILogger<NotifyBroker>>());
}
