using System.Collections.Frozen;
using Tidings.Server.Host;
using Tidings.Server.Publishing.Connectors.Bluesky;
using Tidings.Server.Publishing.Connectors.Mastodon;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors;

/// <summary>Registers the platforms to which posts are published, and how they are reached.</summary>
internal static class ConnectorSetup
{
    public static IServiceCollection AddConnectors(this IServiceCollection services, TidingsOptions options) =>
        services
            .AddSingleton(provider => new OutgoingHttp(options.AllowPrivateNetworks, provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<IPublishingConnector, WebhookConnector>()
            .AddSingleton<IPublishingConnector, BlueskyConnector>()
            .AddSingleton<IPublishingConnector, MastodonConnector>()
            .AddSingleton<IPublishingConnector, DiscordConnector>()
            .AddSingleton<IPublishingConnector, TelegramConnector>()
            .AddSingleton<ConnectorCatalog>();
}

/// <summary>The platforms by their names.</summary>
internal sealed class ConnectorCatalog(IEnumerable<IPublishingConnector> connectors)
{
    private readonly FrozenDictionary<string, IPublishingConnector> _connectors = connectors.ToFrozenDictionary(static connector => connector.Platform, StringComparer.Ordinal);

    /// <summary>The names, in order.</summary>
    public IEnumerable<string> Platforms => _connectors.Keys.Order(StringComparer.Ordinal);

    /// <summary>The connector of a platform; null if there is no such platform.</summary>
    public IPublishingConnector? Find(string? platform) => platform is null ? null : _connectors.GetValueOrDefault(platform);
}
