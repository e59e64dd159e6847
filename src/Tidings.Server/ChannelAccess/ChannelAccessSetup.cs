using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;
using Tidings.Realtime.Feeds;
using Tidings.Server.Auth;
using Tidings.Server.Features.Accounts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.ChannelAccess;

/// <summary>Registers who may subscribe, and what makes up a feed.</summary>
internal static class ChannelAccessSetup
{
    /// <summary>Registers the webhook, if the host app wants to be asked.</summary>
    public static IServiceCollection AddChannelWebhook(this IServiceCollection services, Uri? url) => url is null
        ? services
        : services.AddSingleton(provider => new ChannelWebhook(
            url,
            provider.GetRequiredService<HostSecrets>(),
            provider.GetRequiredService<Revocations>(),
            ChannelWebhook.CreateHandler(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<ChannelWebhook>>()));

    /// <summary>Registers what changes of rights do to live subscriptions. After the engine.</summary>
    public static IServiceCollection AddAccessRun(this IServiceCollection services) => services.AddHostedService<AccessRun>();

    public static IServiceCollection AddChannelAccess(this IServiceCollection services)
    {
        services.AddAccess();
        return services
            .AddSingleton<IChannelAuthorizer>(provider => new ChannelAuthorizer(
                provider.GetRequiredService<ChannelCatalog>(),
                provider.GetRequiredService<SubscriptionTokens>(),
                provider.GetRequiredService<Revocations>(),
                provider.GetRequiredService<KnownUsers>(),
                provider.GetRequiredService<LiveRights>(),
                provider.GetRequiredService<Store>(),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetService<ChannelWebhook>()))
            .AddSingleton<LiveRights>()
            .AddSingleton<IChannelListener>(static provider => provider.GetRequiredService<LiveRights>())
            .AddSingleton<IFeedSources, FollowedCreators>();
    }
}
