using Tidings.Protocols;
using Tidings.Protocols.Pusher;
using Tidings.Realtime;
using Tidings.Realtime.Presence;
using Tidings.Server.Host;
using Tidings.Server.Scaleout;

namespace Tidings.Server.Features.Pusher;

/// <summary>Registers Pusher's protocol, and who is told of what happens in it.</summary>
internal static class PusherSetup
{
    public static IServiceCollection AddPusher(this IServiceCollection services, TidingsOptions options)
    {
        services.AddTidingsPusher(provider =>
        {
            var secrets = provider.GetRequiredService<HostSecrets>();
            return new PusherApp(options.App.Id, secrets.AppKey, secrets.AppSecret)
            {
                TakesStrangers = !options.App.AuthorizedConnections,
                OtherPairs = [.. options.App.OtherKeys.Select(pair => new PusherApp(options.App.Id, pair.Key, pair.Secret))],
            };
        });
        if (options.App.SubscriptionCounts || options.Webhooks.Any(static webhook => webhook.Events.Contains(PusherWebhooks.SubscriptionCount)))
        {
            services.AddHostedService(provider => new SubscriptionCounts(
                options.App.SubscriptionCounts,
                provider.GetRequiredService<RealtimeEngine>(),
                provider.GetRequiredService<IReaderCounts>(),
                provider.GetService<PusherWebhooks>(),
                provider.GetRequiredService<ILogger<SubscriptionCounts>>()));
        }

        if (options.Webhooks.Count == 0) return services;
        return services
            .AddSingleton<PusherWebhooks>()
            .AddSingleton<IChannelWatcher>(static provider => provider.GetRequiredService<PusherWebhooks>())
            .AddSingleton<IPusherListener>(static provider => provider.GetRequiredService<PusherWebhooks>())
            .AddHostedService(static provider => provider.GetRequiredService<PusherWebhooks>());
    }
}
