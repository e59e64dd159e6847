using System.Globalization;
using System.Net;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>
/// How one Redis installation is reached, as <c>Tidings:Redis</c> says it: <c>host:port</c>, several with commas, then options such as
/// <c>password=…</c>. With <c>serviceName</c> the addresses are those of Sentinels, which are asked for the master.
/// </summary>
internal sealed record RedisInstallation
{
    private const int DefaultPort = 6379;
    private const int DefaultSentinelPort = 26379;
    private const int MaxEndpoints = 32;

    /// <summary>Where it is, or where its Sentinels are.</summary>
    public required IReadOnlyList<DnsEndPoint> Endpoints { get; init; }

    /// <summary>The ACL user; null: the default one.</summary>
    public string? User { get; init; }

    public string? Password { get; init; }

    /// <summary>What the Sentinels ask for; null: nothing.</summary>
    public string? SentinelPassword { get; init; }

    /// <summary>The master's name at the Sentinels; null: there are none.</summary>
    public string? ServiceName { get; init; }

    public bool IsTls { get; init; }

    /// <summary>Whether a password would travel, or anybody could connect, outside of this machine.</summary>
    public bool IsOpenToOthers => Password is null && Endpoints.Any(static endpoint => !IsLoopback(endpoint.Host));

    /// <summary>Where it is, for people: no secret is in it.</summary>
    public override string ToString() =>
        string.Join(',', Endpoints.Select(static endpoint => $"{endpoint.Host}:{endpoint.Port}")) + (ServiceName is null ? "" : $" ({ServiceName})");

    /// <summary>Reads a setting.</summary>
    /// <param name="text">The setting.</param>
    /// <param name="installation">What it says.</param>
    /// <returns>What is wrong with it, without its name; null if nothing. It quotes no option's value: that may be a password.</returns>
    public static string? Parse(string text, out RedisInstallation? installation)
    {
        installation = null;
        var endpoints = new List<string>();
        var read = new RedisInstallation { Endpoints = [] };
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
            {
                endpoints.Add(part);
                continue;
            }

            var (option, value) = (part[..equals], part[(equals + 1)..]);
            if (value.Length == 0) return $"has nothing after '{option}='.";
            switch (option.ToLowerInvariant())
            {
                case "user": read = read with { User = value }; break;
                case "password": read = read with { Password = value }; break;
                case "sentinelpassword": read = read with { SentinelPassword = value }; break;
                case "servicename": read = read with { ServiceName = value }; break;
                case "ssl":
                    if (!bool.TryParse(value, out var isTls)) return "has an ssl option that is neither true nor false.";
                    read = read with { IsTls = isTls };
                    break;
                default: return $"has '{option}', which is not an option: there are user, password, sentinelPassword, serviceName and ssl.";
            }
        }

        if (read.User is not null && read.Password is null) return "has a user without a password.";
        if (read.SentinelPassword is not null && read.ServiceName is null) return "has a sentinelPassword without a serviceName.";
        if (endpoints.Count is 0 or > MaxEndpoints) return $"needs 1 to {MaxEndpoints} addresses such as redis.example.com:6379.";

        var addresses = new List<DnsEndPoint>();
        foreach (var endpoint in endpoints)
        {
            if (TryEndpoint(endpoint, read.ServiceName is null ? DefaultPort : DefaultSentinelPort) is not { } address)
                return $"has '{endpoint}': write an address such as redis.example.com:6379, without redis://.";
            addresses.Add(address);
        }

        installation = read with { Endpoints = addresses };
        return null;
    }

    private static DnsEndPoint? TryEndpoint(string text, int defaultPort)
    {
        var colon = text.LastIndexOf(':');
        var isBareIPv6 = colon > 0 && text.IndexOf(':', StringComparison.Ordinal) != colon && !text.StartsWith('[');
        var host = colon < 0 || isBareIPv6 || text.EndsWith(']') ? text : text[..colon];
        var port = defaultPort;
        if (host != text && (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is 0 or > 65_535)) return null;
        return Uri.CheckHostName(host.Trim('[', ']')) == UriHostNameType.Unknown ? null : new DnsEndPoint(host.Trim('[', ']'), port);
    }

    private static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
}
