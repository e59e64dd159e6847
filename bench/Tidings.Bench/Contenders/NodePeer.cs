using System.Globalization;
using System.Net;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;

namespace Tidings.Bench.Contenders;

/// <summary>A server of an npm package, which a <c>package.json</c> in <c>bench/peers</c> names with its version.</summary>
internal sealed class NodePeer(string name, string title, string program, string package, Func<Dialect> dialect, string health = "/health", string? figure = null) : Contender
{
    internal override string Name => name;

    internal override string Title => title;

    internal override string? Figure => figure;

    internal override string? Missing => MissingUnless(InPeers($"{package}/package.json"));

    internal override Dialect Dialect => dialect();

    internal override Launch Launch(IPEndPoint endPoint, string directory) =>
        new(
            ["node", InPeers(program), endPoint.Port.ToString(CultureInfo.InvariantCulture)],
            new Dictionary<string, string> { ["NODE_ENV"] = "production" },
            health);
}
