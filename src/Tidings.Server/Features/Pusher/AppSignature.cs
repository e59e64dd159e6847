using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Tidings.Protocols.Pusher;

namespace Tidings.Server.Features.Pusher;

/// <summary>
/// The signature of a request to the HTTP API: over the method, the path and the sorted parameters. The server libraries do not agree on how
/// they spell what they sign, so each spelling that one of them uses is tried.
/// </summary>
internal static class AppSignature
{
    /// <summary>How far the clocks may be apart.</summary>
    public static readonly TimeSpan MaxSkew = TimeSpan.FromSeconds(600);

    private const int MaxParameters = 64;
    private const string SignatureName = "auth_signature";

    /// <summary>Checks a request.</summary>
    /// <param name="app">The app.</param>
    /// <param name="method">The method.</param>
    /// <param name="target">Path and query as they were sent.</param>
    /// <param name="body">The body as it was sent.</param>
    /// <param name="now">The time.</param>
    /// <returns>Null, or which check failed.</returns>
    public static string? FindProblem(PusherApp app, string method, string target, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var split = target.IndexOf('?', StringComparison.Ordinal);
        var path = split < 0 ? target : target[..split];
        var parameters = Parse(split < 0 ? "" : target[(split + 1)..]);

        if (parameters.Count > MaxParameters) return $"There may be at most {MaxParameters} parameters.";
        if (app.With(ValueOf(parameters, "auth_key")) is not { } pair) return "auth_key is missing or not that of this app.";
        if (ValueOf(parameters, "auth_version") != "1.0") return "auth_version must be 1.0.";
        if (!long.TryParse(ValueOf(parameters, "auth_timestamp"), NumberStyles.None, CultureInfo.InvariantCulture, out var timestamp))
            return "auth_timestamp is missing or not a number of seconds.";
        var here = now.ToUnixTimeSeconds();
        if (Math.Abs((double)here - timestamp) > MaxSkew.TotalSeconds)
            return $"auth_timestamp is {timestamp}, but here it is {here}: they may be {MaxSkew.TotalSeconds} s apart.";
        if (body.Length > 0 && !IsDigestOf(body, ValueOf(parameters, "body_md5"))) return "body_md5 is missing or not that of the body.";
        if (ValueOf(parameters, SignatureName) is not { } signature) return "auth_signature is missing.";

        foreach (var text in SpellingsOf(method, path, parameters))
            if (PusherSignature.IsDigest(pair, signature, Encoding.UTF8.GetBytes(text))) return null;
        return "auth_signature is not that of this request.";
    }

    /// <summary>The value of a parameter of the request, decoded; null if it is absent or there twice.</summary>
    public static string? ValueOf(IReadOnlyList<(string Name, string Raw)> parameters, string name)
    {
        var found = parameters.Where(parameter => parameter.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Take(2).ToList();
        return found.Count == 1 ? Uri.UnescapeDataString(found[0].Raw) : null;
    }

    /// <summary>The parameters in their order, with decoded names and values as they were sent.</summary>
    public static IReadOnlyList<(string Name, string Raw)> Parse(string query) =>
    [
        .. query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(static part =>
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            return equals < 0 ? (Uri.UnescapeDataString(part), "") : (Uri.UnescapeDataString(part[..equals]), part[(equals + 1)..]);
        }),
    ];

    private static bool IsDigestOf(ReadOnlySpan<byte> body, string? hex)
    {
#pragma warning disable CA5351 // The protocol says so; what protects the body is the signature over this digest.
        return hex == Convert.ToHexStringLower(MD5.HashData(body));
#pragma warning restore CA5351
    }

    /// <summary>What may have been signed. The first is what most libraries sign.</summary>
    private static List<string> SpellingsOf(string method, string path, IReadOnlyList<(string Name, string Raw)> parameters)
    {
        var texts = new List<string>();
        string[] paths = path.Contains('%', StringComparison.Ordinal) ? [path, Uri.UnescapeDataString(path)] : [path];
        foreach (var (isDecoded, isLower) in (ReadOnlySpan<(bool, bool)>)[(true, true), (true, false), (false, true), (false, false)])
        {
            var joined = Join(parameters, isDecoded, isLower);
            foreach (var spelling in paths) texts.Add($"{method}\n{spelling}\n{joined}");
        }

        return texts;
    }

    private static string Join(IReadOnlyList<(string Name, string Raw)> parameters, bool isDecoded, bool isLower)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, raw) in parameters)
        {
            if (name.Equals(SignatureName, StringComparison.OrdinalIgnoreCase)) continue;
            var key = isLower ? name.ToLowerInvariant() : name;
            var value = isDecoded ? Uri.UnescapeDataString(raw) : raw;
            if (key.EndsWith("[]", StringComparison.Ordinal)) key = key[..^2]; // an array: its values stand together under the name alone
            values[key] = values.TryGetValue(key, out var before) ? $"{before},{value}" : value;
        }

        return string.Join('&', values.Select(static pair => $"{pair.Key}={pair.Value}"));
    }
}
