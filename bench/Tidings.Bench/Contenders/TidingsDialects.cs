using System.Net;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;

namespace Tidings.Bench.Contenders;

/// <summary>Tidings again, to clients of Socket.IO: a token each, and each event with the offset from which its reader resumes.</summary>
internal sealed class TidingsSocketIo(ServerSettings settings) : TidingsServer(settings)
{
    internal override string Name => "tidings-socketio";

    internal override string Title => "Tidings, Socket.IO";

    internal override string Figure => "g";

    internal override Dialect Dialect => new TidingsSocketIoDialect(number => Tokens[number], HostChannel);
}

/// <summary>Tidings again, to clients of Pusher on a public channel of the host app's own.</summary>
internal sealed class TidingsPusher(ServerSettings settings) : TidingsServer(settings)
{
    private const string Channel = "fanout";

    internal override string Name => "tidings-pusher";

    internal override string Title => "Tidings, Pusher";

    internal override string Figure => "g";

    internal override Dialect Dialect => new PusherDialect(ServerSettings.AppKey, Channel);

    internal override byte[] Publication(IPEndPoint endPoint, int bytes) => Publication(endPoint, Channel, bytes);
}
