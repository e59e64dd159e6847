namespace Tidings.Server.Host;

/// <summary>The names of all settings, so that a misspelt one is noticed. <c>*</c> stands for any one part.</summary>
internal static class KnownSettings
{
    private static readonly string[] Names =
    [
        "DataDirectory", "MediaDirectory", "Database", "Redis", "RedisShards", "RedisShards:*", "RedisIngress", "ReturnWindow", "Roles", "Roles:*", "CronSecret", "EncryptionKeys", "EncryptionKeys:*",
        "AllowedOrigins", "AllowedOrigins:*", "TrustedProxies", "TrustedProxies:*",
        "App:Id", "App:Key", "App:Secret", "App:OtherKeys:*:Key", "App:OtherKeys:*:Secret", "App:SubscriptionCounts", "App:AuthorizedConnections",
        "Auth:Secret", "Auth:JwksUrl", "Auth:Issuer", "Auth:Audience", "Auth:UserIdClaims", "Auth:UserIdClaims:*", "Auth:ClockSkew",
        "Auth:MaxTokenLifetime", "Auth:AllowAnonymous", "Auth:Registration", "Auth:ChannelWebhook",
        "Payments:WebhookSecret", "Publishing:Grace", "Publishing:Lease", "Publishing:AllowPrivateNetworks", "Webhooks:*:Url", "Webhooks:*:Events", "Webhooks:*:Events:*",
        "Channels:*:Access", "Channels:*:History", "Channels:*:HistoryAge", "Channels:*:Durable", "Channels:*:Presence",
        "Channels:*:ClientPublish", "Channels:*:SlowReader",
        "Limits:ConnectionsPerUser", "Limits:ConnectionsPerAddress", "Limits:HandshakesPerSecond", "Limits:RequestsPerSecondPerUser",
        "Limits:RequestsPerSecondPerAddress", "Limits:PostChars", "Limits:UploadBytes", "Limits:MessagesPerSecond", "Limits:MessageBurst",
        "Limits:MessageBytes", "Limits:OutboundBytes", "Limits:SubscriptionsPerConnection",
        "Features:Realtime", "Features:AuthorNotifications", "Operations:Urls",
    ];

    /// <summary>A sentence for each setting that nobody reads.</summary>
    public static IEnumerable<string> WarningsFor(IConfiguration configuration)
    {
        foreach (var (key, value) in configuration.GetSection(OptionsReader.Section).AsEnumerable(makePathsRelative: true))
        {
            if (value is null || key.Length == 0) continue;
            var parts = key.Split(':');
            if (!Names.Any(name => Matches(name.Split(':'), parts)))
                yield return $"{OptionsReader.Section}:{key} is not a setting; did you mean {OptionsReader.Section}:{Nearest(parts)}?";
        }
    }

    private static bool Matches(string[] pattern, string[] parts) =>
        pattern.Length == parts.Length &&
        pattern.Zip(parts).All(pair => pair.First == "*" || pair.First.Equals(pair.Second, StringComparison.OrdinalIgnoreCase));

    /// <summary>The name that continues what was given, or the one with the fewest edits; a <c>*</c> takes the part that was given.</summary>
    private static string Nearest(string[] parts)
    {
        var given = string.Join(':', parts);
        return Names.Select(name => string.Join(':', name.Split(':').Select((part, i) => part == "*" && i < parts.Length ? parts[i] : part)))
            .MinBy(name => name.StartsWith(given, StringComparison.OrdinalIgnoreCase) ? 0 : Edits(name, given))!;
    }

    private static int Edits(string left, string right)
    {
        var previous = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var current = new int[right.Length + 1];
            current[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = previous[j - 1] + (char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1);
                current[j] = Math.Min(replaced, 1 + Math.Min(previous[j], current[j - 1]));
            }

            previous = current;
        }

        return previous[^1];
    }
}
