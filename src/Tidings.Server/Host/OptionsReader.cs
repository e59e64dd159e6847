using System.Net;
using Tidings.Realtime.Channels;
using Tidings.Server.Features.Pusher;
using Tidings.Server.Publishing;
using Tidings.Server.Scaleout.Redis;
using Tidings.Server.Storage.Postgres;
using Tidings.Server.Webhooks;

namespace Tidings.Server.Host;

/// <summary>Reads and checks <see cref="TidingsOptions"/>.</summary>
internal static class OptionsReader
{
    /// <summary>The section that all settings are in.</summary>
    public const string Section = "Tidings";

    private static readonly Dictionary<string, NodeRoles> RoleNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["api"] = NodeRoles.Api,
        ["realtime"] = NodeRoles.Realtime,
        ["publishing"] = NodeRoles.Publishing,
    };

    private static readonly string[] LoopbackNetworks = ["127.0.0.0/8", "::1/128"];

    /// <summary>Reads the settings.</summary>
    /// <exception cref="StartRefusedException">Some are wrong; it has a sentence for each.</exception>
    public static TidingsOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Section);
        var settings = new SettingsReader(section, Section);
        var dataDirectory = Path.GetFullPath(settings.Text("DataDirectory") ?? "./data");

        var options = new TidingsOptions
        {
            DataDirectory = dataDirectory,
            MediaDirectory = Path.GetFullPath(settings.Text("MediaDirectory") ?? Path.Combine(dataDirectory, "media")),
            Database = settings.Text("Database"),
            AllowedOrigins = ReadOrigins(settings),
            TrustedProxies = ReadNetworks(settings),
            App = ReadApp(section, settings),
            Auth = ReadAuth(settings),
            Limits = ReadLimits(settings),
            Channels = ChannelKinds.Read(section, settings.Problems),
            EncryptionKeys = ReadEncryptionKeys(settings),
            ReturnWindow = settings.Duration("ReturnWindow", TimeSpan.FromMinutes(2), TimeSpan.Zero, TimeSpan.FromMinutes(30)),
            PaymentsWebhookKey = ReadPaymentsKey(settings),
            Publishing = ReadPublishing(settings),
            AllowPrivateNetworks = settings.Switch("Publishing:AllowPrivateNetworks", whenAbsent: false),
            Webhooks = ReadWebhooks(section, settings),
            Roles = ReadRoles(settings),
            Redis = ReadRedis(settings),
            RedisIngress = settings.Text("RedisIngress"),
            IsShared = settings.Text("Database") is not null
                || (settings.Text("RedisIngress") is null && (settings.Text("Redis") is not null || settings.Items("RedisShards").Count > 0)),
        };

        if (options.Database is not null && PostgresConnection.ProblemOf(options.Database) is { } problem) settings.Refuse("Database", problem);
        settings.Switch(FeatureSwitches.RealtimeKey, whenAbsent: true);
        settings.Switch(FeatureSwitches.AuthorNotificationsKey, whenAbsent: true);
        if (options.Auth.ChannelWebhook is null && options.Channels.Kinds.FirstOrDefault(kind => kind.Value.Access == AccessRule.Webhook) is { Key: { } asked })
            settings.Refuse($"Channels:{asked}:Access", "is webhook, but Tidings:Auth:ChannelWebhook is not set: name the URL to ask.");
        if (options.RedisIngress is { } prefix && RedisIngress.ProblemOf(prefix) is { } wrong) settings.Refuse("RedisIngress", wrong);
        if (options.RedisIngress is not null && options.Redis.Count == 0)
            settings.Refuse("RedisIngress", "is set, but Tidings:Redis is not: name the Redis in which backends publish.");
        if (options.Redis.Count > 0 && settings.Text("Database") is null && options.RedisIngress is null)
            settings.Refuse(settings.Text("Redis") is null ? "RedisShards" : "Redis", "is set, but Tidings:Database is not: nodes that share Redis must share a PostgreSQL database too, since the event log is there.");
        if (options.Auth.Secret is not null && options.Auth.Secret == options.App.Secret)
            settings.Refuse("App:Secret", "is the same as Tidings:Auth:Secret: user tokens and subscription tokens need different keys.");

        return settings.Problems.Count == 0 ? options : throw new StartRefusedException(settings.Problems);
    }

    private static PublishingOptions ReadPublishing(SettingsReader settings)
    {
        var secret = settings.Text("CronSecret");
        if (secret is not null && WeakSecrets.ProblemOf(secret) is { } problem) settings.Refuse("CronSecret", problem);
        return new PublishingOptions(
            settings.Duration("Publishing:Grace", TimeSpan.FromMinutes(60), TimeSpan.Zero, TimeSpan.FromDays(7)),
            settings.Duration("Publishing:Lease", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(30)),
            secret);
    }

    private static byte[]? ReadPaymentsKey(SettingsReader settings)
    {
        if (settings.Text("Payments:WebhookSecret") is not { } secret) return null;
        return StandardWebhook.KeyOf(secret)
            ?? settings.Refuse<byte[]?>("Payments:WebhookSecret", "must be whsec_ and 24 to 64 bytes in base64, as the provider shows it.", null);
    }

    private static List<WebhookOptions> ReadWebhooks(IConfiguration section, SettingsReader settings)
    {
        var webhooks = new List<WebhookOptions>();
        foreach (var child in section.GetSection("Webhooks").GetChildren())
        {
            var key = $"Webhooks:{child.Key}";
            var events = settings.List($"{key}:Events", PusherWebhooks.UsualNames);
            if (events.FirstOrDefault(static name => !PusherWebhooks.EventNames.Contains(name)) is { } unknown)
                settings.Refuse($"{key}:Events", $"has '{unknown}': there are {string.Join(", ", PusherWebhooks.EventNames)}.");
            if (settings.Url($"{key}:Url") is { } url) webhooks.Add(new WebhookOptions(url, events.ToHashSet(StringComparer.Ordinal)));
            else if (settings.Text($"{key}:Url") is null) settings.Refuse($"{key}:Url", "is missing: name the URL to call.");
        }

        return webhooks;
    }

    private static IReadOnlyList<string> ReadEncryptionKeys(SettingsReader settings)
    {
        var keys = settings.List("EncryptionKeys", []);
        if (keys.Select(WeakSecrets.ProblemOf).FirstOrDefault(static problem => problem is not null) is { } problem) settings.Refuse("EncryptionKeys", problem);
        if (keys.Count == 0 && settings.Text("Database") is not null)
            settings.Refuse("EncryptionKeys", "must be set when Tidings:Database is: what nodes keep secret in the database is encrypted under it.");
        return keys;
    }

    private static NodeRoles ReadRoles(SettingsReader settings)
    {
        var roles = default(NodeRoles);
        var texts = settings.List("Roles", ["api", "realtime", "publishing"]);
        if (texts.Count == 0) return settings.Refuse("Roles", $"names nothing that this node should do: write some of {string.Join(", ", RoleNames.Keys)}.", NodeRoles.All);
        foreach (var text in texts)
        {
            if (RoleNames.TryGetValue(text, out var role)) roles |= role;
            else return settings.Refuse("Roles", $"has '{text}': a node's roles are {string.Join(", ", RoleNames.Keys)}.", NodeRoles.All);
        }

        if (roles != NodeRoles.All && settings.Text("Database") is null)
            settings.Refuse("Roles", "leaves something to other nodes, but without Tidings:Database there are none: name a PostgreSQL server, or leave Tidings:Roles out.");
        return roles;
    }

    private static AppOptions ReadApp(IConfiguration section, SettingsReader settings)
    {
        var app = new AppOptions
        {
            Id = settings.Text("App:Id") ?? "tidings",
            Key = settings.Text("App:Key"),
            Secret = settings.Text("App:Secret"),
            OtherKeys = ReadOtherKeys(section, settings),
            SubscriptionCounts = settings.Switch("App:SubscriptionCounts", false),
            AuthorizedConnections = settings.Switch("App:AuthorizedConnections", false),
        };

        if (!IsPlain(app.Id)) settings.Refuse("App:Id", "may have 1 to 64 letters, digits, '-' and '_' only.");
        if (app.Key is not null && !IsPlain(app.Key)) settings.Refuse("App:Key", "may have 1 to 64 letters, digits, '-' and '_' only.");
        if (app.Secret is not null && WeakSecrets.ProblemOf(app.Secret) is { } problem) settings.Refuse("App:Secret", problem);
        return app;
    }

    private static List<(string Key, string Secret)> ReadOtherKeys(IConfiguration section, SettingsReader settings)
    {
        var pairs = new List<(string, string)>();
        foreach (var child in section.GetSection("App:OtherKeys").GetChildren())
        {
            var at = $"App:OtherKeys:{child.Key}";
            var (key, secret) = (settings.Text($"{at}:Key"), settings.Text($"{at}:Secret"));
            if (key is null || !IsPlain(key)) settings.Refuse($"{at}:Key", "must have 1 to 64 letters, digits, '-' and '_'.");
            else if (secret is null) settings.Refuse($"{at}:Secret", "is missing: a key has a secret.");
            else if (WeakSecrets.ProblemOf(secret) is { } problem) settings.Refuse($"{at}:Secret", problem);
            else pairs.Add((key, secret));
        }

        return pairs;
    }

    private static List<RedisInstallation> ReadRedis(SettingsReader settings)
    {
        var shards = settings.Items("RedisShards");
        var texts = shards.Count > 0 ? shards : settings.Text("Redis") is { } text ? [("Redis", text)] : [];
        if (shards.Count > 0 && settings.Text("Redis") is not null)
            settings.Refuse("Redis", "is set, and so is Tidings:RedisShards: name the installation in one of them, as the first of the shards if there are several.");

        var installations = new List<RedisInstallation>();
        foreach (var (key, installation) in texts)
        {
            if (RedisInstallation.Parse(installation, out var parsed) is { } problem) settings.Refuse(key, problem);
            else installations.Add(parsed!);
        }

        return installations;
    }

    private static AuthOptions ReadAuth(SettingsReader settings)
    {
        var auth = new AuthOptions
        {
            Secret = settings.Text("Auth:Secret"),
            JwksUrl = settings.Url("Auth:JwksUrl"),
            ChannelWebhook = settings.Url("Auth:ChannelWebhook"),
            Issuer = settings.Text("Auth:Issuer"),
            Audience = settings.Text("Auth:Audience"),
            UserIdClaims = settings.List("Auth:UserIdClaims", ["sub", "id", "userId"]),
            ClockSkew = settings.Duration("Auth:ClockSkew", TimeSpan.FromSeconds(30), TimeSpan.Zero, TimeSpan.FromMinutes(10)),
            MaxTokenLifetime = settings.Duration("Auth:MaxTokenLifetime", TimeSpan.FromDays(30), TimeSpan.FromMinutes(1), TimeSpan.FromDays(3_650)),
            AllowAnonymous = settings.Switch("Auth:AllowAnonymous", whenAbsent: false),
            Registration = settings.Switch("Auth:Registration", whenAbsent: true),
        };

        if (auth.Secret is not null && WeakSecrets.ProblemOf(auth.Secret) is { } problem) settings.Refuse("Auth:Secret", problem);
        if (auth.UserIdClaims.Count is 0 or > 8 || auth.UserIdClaims.Any(name => name is "exp" or "nbf" or "iat" or "iss" or "aud" or "sid" or "channel"))
            settings.Refuse("Auth:UserIdClaims", "needs 1 to 8 names of claims that hold the user's id, none with another meaning such as exp or aud.");
        return auth;
    }

    private static LimitOptions ReadLimits(SettingsReader settings) => new()
    {
        ConnectionsPerUser = settings.Number("Limits:ConnectionsPerUser", 20),
        ConnectionsPerAddress = settings.Number("Limits:ConnectionsPerAddress", 200),
        HandshakesPerSecond = settings.Number("Limits:HandshakesPerSecond", 5_000),
        RequestsPerSecondPerUser = settings.Number("Limits:RequestsPerSecondPerUser", 50, most: 1_000_000),
        RequestsPerSecondPerAddress = settings.Number("Limits:RequestsPerSecondPerAddress", 200, most: 1_000_000),
        PostChars = settings.Number("Limits:PostChars", 10_000, most: 1_000_000),
        UploadBytes = settings.Number("Limits:UploadBytes", 104_857_600L, 1, long.MaxValue),
        MessagesPerSecond = settings.Number("Limits:MessagesPerSecond", 50),
        MessageBurst = settings.Number("Limits:MessageBurst", 100),
        MessageBytes = settings.Number("Limits:MessageBytes", 65_536, least: 1_024, most: 16 * 1024 * 1024),
        OutboundBytes = settings.Number("Limits:OutboundBytes", 1_048_576, least: 16 * 1024),
        SubscriptionsPerConnection = settings.Number("Limits:SubscriptionsPerConnection", 200),
    };

    private static List<string> ReadOrigins(SettingsReader settings)
    {
        var origins = new List<string>();
        foreach (var text in settings.List("AllowedOrigins", []))
        {
            if (text.Contains('*', StringComparison.Ordinal))
                settings.Refuse("AllowedOrigins", $"has '{text}': wildcards are not allowed, name each origin.");
            else if (TryOrigin(text) is { } origin)
                origins.Add(origin);
            else
                settings.Refuse("AllowedOrigins", $"has '{text}': write an origin such as https://app.example.com, without a path or a slash at the end.");
        }

        return origins;
    }

    /// <summary>The origin as browsers write it, without a default port.</summary>
    private static string? TryOrigin(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0) return null;
        if (text.EndsWith('/') || url.PathAndQuery != "/" || url.Fragment.Length > 0 || url.Host.EndsWith('.')) return null;
        try
        {
            var host = url.HostNameType == UriHostNameType.IPv6 ? url.Host : url.IdnHost;   // the one with its brackets, the other as it is resolved
            return url.IsDefaultPort ? $"{url.Scheme}://{host}" : $"{url.Scheme}://{host}:{url.Port}";
        }
        catch (UriFormatException)
        {
            return null; // a name that no resolver takes: too long, or with a letter that names can't have
        }
    }

    private static List<IPNetwork> ReadNetworks(SettingsReader settings)
    {
        var networks = new List<IPNetwork>();
        foreach (var text in settings.List("TrustedProxies", LoopbackNetworks))
        {
            if (text.Equals("loopback", StringComparison.OrdinalIgnoreCase)) networks.AddRange(LoopbackNetworks.Select(IPNetwork.Parse));
            else if (IPNetwork.TryParse(text, out var network)) networks.Add(network);
            else if (IPAddress.TryParse(text, out var address)) networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            else settings.Refuse("TrustedProxies", $"has '{text}': write an address, a network such as 10.0.0.0/8, or loopback.");
        }

        return networks;
    }

    private static bool IsPlain(string text) =>
        text.Length is > 0 and <= 64 && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');
}
