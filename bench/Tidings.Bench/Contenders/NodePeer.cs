using System.Globalization;
using System.Net;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;

namespace Tidings.Bench.Contenders;

/// <summary>A server in <c>bench/peers/node</c>, of a package that <c>bench/peers/package.json</c> names with its version.</summary>
internal sealed class NodePeer(string name, string title, string package, Func<Dialect> dialect) : Contender
{
    internal override string Name => name;

    internal override string Title => title;

    internal override string? Missing => MissingUnless(InPeers($"node_modules/{package}/package.json"));

    internal override Dialect Dialect => dialect();

    internal override Launch Launch(IPEndPoint endPoint, string directory) =>
        new(
            ["node", InPeers($"node/{name}.cjs"), endPoint.Port.ToString(CultureInfo.InvariantCulture)],
            new Dictionary<string, string> { ["NODE_ENV"] = "production" },
            "/health");
}
