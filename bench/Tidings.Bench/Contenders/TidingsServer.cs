using System.Net;
using Tidings.Bench.Hosting;
using Tidings.Bench.Measurements;
using Tidings.Bench.Network;

namespace Tidings.Bench.Contenders;

/// <summary>
/// Tidings with the product's defaults, durable log, tokens and all checks on; only limits that exist to stop what a benchmark does are raised.
/// Every connection is a user of its own, and all subscribe to one channel of a host app.
/// </summary>
internal class TidingsServer(ServerSettings settings) : Contender
{
    internal const string HostChannel = "bench:fanout";

    internal override string Name => "tidings";

    internal override string Title => "Tidings";

    internal override string? Missing => MissingUnless(settings.Assembly);

    internal override Dialect Dialect => new TidingsDialect(number => Tokens[number], ChannelOf);

    /// <summary>Of user 0, 1, …; minted by <see cref="Prepare"/>.</summary>
    protected string[] Tokens { get; private set; } = [];

    internal override Launch Launch(IPEndPoint endPoint, string directory) => new(["dotnet", settings.Assembly], Variables(endPoint, Path.Combine(directory, "data"), settings.Database ?? ""), "/health/ready");

    internal override void Prepare(Rig rig, int connections) => Tokens = Rig.Tokens(connections);

    internal override byte[] Publication(IPEndPoint endPoint, int bytes) => Publication(endPoint, HostChannel, bytes);

    internal static byte[] Publication(IPEndPoint endPoint, string channel, int bytes) =>
        Api.Request(
            endPoint,
            "POST",
            "/api/realtime/publish",
            ServerSettings.AppSecret,
            $"{{\"channel\":\"{channel}\",\"event\":\"tick\",\"data\":{{\"text\":\"{Marker.Text(0, bytes)}\"}}}}");

    protected virtual string ChannelOf(int number) => HostChannel;

    private static Dictionary<string, string> Variables(IPEndPoint endPoint, string data, string database) => new()
    {
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["ASPNETCORE_URLS"] = $"http://{endPoint}",
        ["DOTNET_NOLOGO"] = "1",
        ["Logging__LogLevel__Default"] = "Warning",
        ["Tidings__DataDirectory"] = data,
        ["Tidings__Database"] = database,
        ["Tidings__EncryptionKeys"] = ServerSettings.AppSecret,
        ["Tidings__Auth__Secret"] = ServerSettings.TokenSecret,
        ["Tidings__App__Id"] = "bench",
        ["Tidings__App__Key"] = ServerSettings.AppKey,
        ["Tidings__App__Secret"] = ServerSettings.AppSecret,
        ["Tidings__Publishing__AllowPrivateNetworks"] = "true",
        ["Tidings__Channels__bench__Access"] = "public",
        ["Tidings__Limits__ConnectionsPerUser"] = "100000",
        ["Tidings__Limits__ConnectionsPerAddress"] = "100000",
        ["Tidings__Limits__HandshakesPerSecond"] = "100000",
        ["Tidings__Limits__RequestsPerSecondPerUser"] = "1000000",
        ["Tidings__Limits__RequestsPerSecondPerAddress"] = "1000000",
    };
}
