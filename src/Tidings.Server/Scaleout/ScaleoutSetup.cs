using Tidings.Realtime.Brokers;
using Tidings.Realtime.Presence;
using Tidings.Server.Host;
using Tidings.Server.Scaleout.Redis;

namespace Tidings.Server.Scaleout;

/// <summary>Registers what connects this node with others. Before the engine, which otherwise is alone.</summary>
internal static class ScaleoutSetup
{
    public static IServiceCollection AddScaleout(this IServiceCollection services, TidingsOptions options)
    {
        if (!options.IsShared) return services;
        services.AddHostedService<AccessChanges>();
        if (options.Redis.Count == 0) return services;
        return services
            .AddSingleton<BusMetrics>()
            .AddSingleton(provider => new BusSeal(provider.GetRequiredService<HostSecrets>().AppSecret))
            .AddSingleton(new RedisNames(options.App.Id))
            .AddSingleton(options.Redis)
            .AddSingleton<IBroker, RedisBroker>()
            .AddSingleton<IPresenceStore>(provider => new RedisPresenceStore(
                options.Redis[0],
                provider.GetRequiredService<RedisNames>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<RedisPresenceStore>>()));
    }
}
