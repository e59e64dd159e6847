using System.Net;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;

namespace Tidings.Bench.Contenders;

/// <summary>ASP.NET Core SignalR, JSON protocol, one group.</summary>
internal sealed class SignalRPeer : Contender
{
    private static readonly string Assembly = InPeers("SignalR/bin/Release/net10.0/Tidings.Bench.Peers.SignalR.dll");

    internal override string Name => "signalr";

    internal override string Title => "SignalR";

    internal override string? Missing => MissingUnless(Assembly);

    /// <summary>Each send to a group walks its connections by itself, so two that overlap reach them in either order.</summary>
    internal override bool KeepsOrder => false;

    internal override Dialect Dialect => new SignalRDialect();

    internal override Launch Launch(IPEndPoint endPoint, string directory) =>
        new(
            ["dotnet", Assembly],
            new Dictionary<string, string>
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
                ["ASPNETCORE_URLS"] = $"http://{endPoint}",
                ["DOTNET_NOLOGO"] = "1",
                ["Logging__LogLevel__Default"] = "Warning",
            },
            "/health");
}
