using System.Net;
using Tidings.Bench.Hosting;
using Tidings.Bench.Measurements;
using Tidings.Bench.Network;

namespace Tidings.Bench.Contenders;

/// <summary>Tidings again, but every subscriber listens to its own <c>feed:</c> and follows the one creator whose channel is published to.</summary>
internal sealed class TidingsFeeds(ServerSettings settings) : TidingsServer(settings)
{
    private string _creator = "";

    internal override string Name => "tidings-feeds";

    internal override string Title => "Tidings, feeds";

    internal override string Figure => "d";

    internal override void Prepare(Rig rig, int connections)
    {
        base.Prepare(rig, connections);
        using var api = new Api(rig.Loop, rig.Server.EndPoint);
        (_creator, _) = api.Register("benchauthor");
        foreach (var follower in Tokens)
            api.Expect(204, "POST", $"/api/creators/{_creator}/follow", follower);
    }

    internal override byte[] Publication(IPEndPoint endPoint, int bytes) => Publication(endPoint, $"creator:{_creator}", bytes);

    protected override string ChannelOf(int number) => $"feed:{Rig.User(number)}";
}
