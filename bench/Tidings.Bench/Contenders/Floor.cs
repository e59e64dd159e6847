using System.Globalization;
using System.Net;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;

namespace Tidings.Bench.Contenders;

/// <summary>A bare epoll loop in C++: the least that a server on one core can spend.</summary>
internal class Floor : Contender
{
    private static readonly string Program = InPeers("floor/bin/floor");

    internal override string Name => "floor";

    internal override string Title => "bare epoll loop (C++)";

    internal override string? Missing => MissingUnless(Program);

    internal override Dialect Dialect => new PlainDialect();

    internal override Launch Launch(IPEndPoint endPoint, string directory) =>
        new([Program, endPoint.Port.ToString(CultureInfo.InvariantCulture)], Hosting.Launch.NoVariables, "/health");
}
