using System.Net;

namespace Tidings.Bench.Hosting;

/// <summary>How the server is started: the product's defaults, except for limits that exist to stop what a benchmark does.</summary>
internal sealed class ServerSettings
{
    /// <summary>Secrets of this run only; the server listens on loopback and is gone afterwards.</summary>
    internal const string TokenSecret = "bench-bench-bench-bench-bench-bench-bench-bench";

    internal const string AppSecret = "bench-app-secret-bench-app-secret-bench";

    internal ServerSettings(Options options)
    {
        Assembly = Path.GetFullPath(options.Text("server") ?? Path.Combine(Repository.Root, "src/Tidings.Server/bin/Release/net10.0/Tidings.Server.dll"));
        Core = options.Number("server-core", 0, 0, Machine.Cores - 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
        Scratch = options.Text("scratch") ?? "/var/tmp";
    }

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
}
