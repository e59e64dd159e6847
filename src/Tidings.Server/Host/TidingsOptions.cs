using System.Net;
using Tidings.Realtime.Channels;
using Tidings.Server.Publishing;
using Tidings.Server.Scaleout.Redis;

namespace Tidings.Server.Host;

/// <summary>
/// The settings under <c>Tidings:</c>, read and checked once at start by <see cref="OptionsReader"/>. Switches that take effect without a
/// restart are in <see cref="FeatureSwitches"/>. Secrets that were generated are in <see cref="HostSecrets"/>.
/// </summary>
internal sealed class TidingsOptions
{
    /// <summary>The absolute path of the directory for the database and generated secrets.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>The absolute path of the directory of uploaded files, which nodes share.</summary>
    public required string MediaDirectory { get; init; }

    /// <summary>The connection string of a PostgreSQL database; null: SQLite in the data directory.</summary>
    public required string? Database { get; init; }

    /// <summary>Origins besides the server's own, as browsers write them.</summary>
    public required IReadOnlyList<string> AllowedOrigins { get; init; }

    /// <summary>Whose <c>X-Forwarded-*</c> is believed.</summary>
    public required IReadOnlyList<IPNetwork> TrustedProxies { get; init; }

    public required AppOptions App { get; init; }

    public required AuthOptions Auth { get; init; }

    public required LimitOptions Limits { get; init; }

    /// <summary>The channel kinds, the product's and the configured ones.</summary>
    public required ChannelCatalog Channels { get; init; }

    /// <summary>What Data Protection's keys are kept under in a shared database, the newest first; empty with SQLite, where they are files.</summary>
    public required IReadOnlyList<string> EncryptionKeys { get; init; }

    /// <summary>How long a vanished connection is remembered whose client can't say itself what it saw last; zero: not at all.</summary>
    public required TimeSpan ReturnWindow { get; init; }

    /// <summary>The key with which the payments' provider signs; null: none is configured.</summary>
    public required byte[]? PaymentsWebhookKey { get; init; }

    /// <summary>Whether what users connect may be on private networks and reached by plain http: for development and closed networks.</summary>
    public required bool AllowPrivateNetworks { get; init; }

    /// <summary>How posts are published that are scheduled, or go to other platforms.</summary>
    public required PublishingOptions Publishing { get; init; }

    /// <summary>Who is told of what happens in channels.</summary>
    public required IReadOnlyList<WebhookOptions> Webhooks { get; init; }

    /// <summary>What this node does.</summary>
    public required NodeRoles Roles { get; init; }

    /// <summary>The Redis installations over which channels are spread; empty: there is none.</summary>
    public required IReadOnlyList<RedisInstallation> Redis { get; init; }

    /// <summary>What the names of Redis channels begin with in which backends publish; null: none are read.</summary>
    public required string? RedisIngress { get; init; }

    /// <summary>Whether several nodes may share this configuration (a database server or Redis between them is named): secrets are then not generated.</summary>
    public required bool IsShared { get; init; }
}

/// <summary>Somebody who is told of what happens in channels.</summary>
/// <param name="Url">Where.</param>
/// <param name="Events">Of what.</param>
internal sealed record WebhookOptions(Uri Url, IReadOnlySet<string> Events);

/// <summary>What a node does; with one node, everything.</summary>
[Flags]
internal enum NodeRoles
{
    /// <summary>Answers the HTTP API and serves the page.</summary>
    Api = 1,

    /// <summary>Takes clients' live connections.</summary>
    Realtime = 2,

    /// <summary>Publishes to other platforms what is due.</summary>
    Publishing = 4,

    /// <summary>All of it.</summary>
    All = Api | Realtime | Publishing,
}

/// <summary>The API key pair of backends, as configured.</summary>
internal sealed class AppOptions
{
    public required string Id { get; init; }

    /// <summary>Null: generated.</summary>
    public required string? Key { get; init; }

    /// <summary>Null: generated.</summary>
    public required string? Secret { get; init; }

    /// <summary>Pairs of key and secret that Pusher's clients and libraries may use besides.</summary>
    public required IReadOnlyList<(string Key, string Secret)> OtherKeys { get; init; }

    /// <summary>Whether the readers of channels with Pusher's names are told how many they are.</summary>
    public required bool SubscriptionCounts { get; init; }

    /// <summary>Whether Pusher's clients must show within a while who they are, or a signature.</summary>
    public required bool AuthorizedConnections { get; init; }
}

/// <summary>Who is let in.</summary>
internal sealed class AuthOptions
{
    /// <summary>The HS256 secret; null: generated.</summary>
    public required string? Secret { get; init; }

    /// <summary>The key set of the host app's sign-in.</summary>
    public required Uri? JwksUrl { get; init; }

    /// <summary>Where the host app is asked who may subscribe; null: it is not asked.</summary>
    public required Uri? ChannelWebhook { get; init; }

    public required string? Issuer { get; init; }

    public required string? Audience { get; init; }

    public required IReadOnlyList<string> UserIdClaims { get; init; }

    public required TimeSpan ClockSkew { get; init; }

    public required TimeSpan MaxTokenLifetime { get; init; }

    /// <summary>Whether a live connection without a token is let in, for public channels.</summary>
    public required bool AllowAnonymous { get; init; }

    /// <summary>Whether people may sign up here.</summary>
    public required bool Registration { get; init; }
}

/// <summary>What one client may ask for.</summary>
internal sealed class LimitOptions
{
    public required int ConnectionsPerUser { get; init; }

    public required int ConnectionsPerAddress { get; init; }

    public required int HandshakesPerSecond { get; init; }

    public required int RequestsPerSecondPerUser { get; init; }

    public required int RequestsPerSecondPerAddress { get; init; }

    public required int PostChars { get; init; }

    public required long UploadBytes { get; init; }

    public required int MessagesPerSecond { get; init; }

    public required int MessageBurst { get; init; }

    public required int MessageBytes { get; init; }

    public required int OutboundBytes { get; init; }

    public required int SubscriptionsPerConnection { get; init; }
}
