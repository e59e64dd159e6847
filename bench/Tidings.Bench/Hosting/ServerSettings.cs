using System.Globalization;
using System.Net;
using System.Security.Cryptography;

namespace Tidings.Bench.Hosting;

/// <summary>How the server is started: the product's defaults, except for limits that exist to stop what a benchmark does.</summary>
internal sealed class ServerSettings
{
    internal ServerSettings(Options options)
    {
        Assembly = Path.GetFullPath(options.Text("server") ?? Path.Combine(Repository.Root, "src/Tidings.Server/bin/Release/net10.0/Tidings.Server.dll"));
        Core = options.Number("server-core", 0, 0, Machine.Cores - 1).ToString(CultureInfo.InvariantCulture);
        Scratch = options.Text("scratch") ?? "/var/tmp";
    }

    /// <summary>Made for this run and known to nobody else: the server refuses secrets that look as if somebody had typed them.</summary>
    internal static string TokenSecret { get; } = NewSecret();

    internal static string AppSecret { get; } = NewSecret();

    internal string Assembly { get; }

    internal string Core { get; }

    /// <summary>Where the data directory is made; it must be a real disk for durable posts to mean anything.</summary>
    internal string Scratch { get; }

    internal static Dictionary<string, string> Variables(IPEndPoint endPoint, string data) => new()
    {
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["ASPNETCORE_URLS"] = $"http://{endPoint}",
        ["DOTNET_NOLOGO"] = "1",
        ["Logging__LogLevel__Default"] = "Warning",
        ["Tidings__DataDirectory"] = data,
        ["Tidings__Auth__Secret"] = TokenSecret,
        ["Tidings__App__Id"] = "bench",
        ["Tidings__App__Key"] = "bench-key",
        ["Tidings__App__Secret"] = AppSecret,
        ["Tidings__Channels__bench__Access"] = "public",
        ["Tidings__Limits__ConnectionsPerUser"] = "100000",
        ["Tidings__Limits__ConnectionsPerAddress"] = "100000",
        ["Tidings__Limits__HandshakesPerSecond"] = "100000",
        ["Tidings__Limits__RequestsPerSecondPerUser"] = "1000000",
        ["Tidings__Limits__RequestsPerSecondPerAddress"] = "1000000",
    };

    private static string NewSecret() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(48));
}
