using Tidings.Realtime.Connections;
using Tidings.Realtime.Feeds;

namespace Tidings.Server.ChannelAccess;

/// <summary>Registers who may subscribe, and what makes up a feed.</summary>
internal static class ChannelAccessSetup
{
    public static IServiceCollection AddChannelAccess(this IServiceCollection services) =>
        services
            .AddSingleton<IChannelAuthorizer, ChannelAuthorizer>()
            .AddSingleton<IFeedSources, FollowedCreators>();
}
