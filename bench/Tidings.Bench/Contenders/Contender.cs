using System.Net;
using Tidings.Bench.Hosting;
using Tidings.Bench.Measurements;
using Tidings.Bench.Network;

namespace Tidings.Bench.Contenders;

/// <summary>A server that can be measured: how it is started, spoken to, and made to broadcast.</summary>
internal abstract class Contender
{
    /// <summary>As <c>--only</c> and the results name it.</summary>
    internal abstract string Name { get; }

    internal abstract string Title { get; }

    /// <summary>Why it cannot be started here, or null.</summary>
    internal abstract string? Missing { get; }

    /// <summary>Whether all subscribers see events that were published at the same time in the same order.</summary>
    internal virtual bool KeepsOrder => true;

    /// <summary>Beside which figure it is measured, if not in all: <c>d</c> or <c>g</c>.</summary>
    internal virtual string? Figure => null;

    /// <param name="endPoint">Where it must listen.</param>
    /// <param name="directory">Its working folder, empty, deleted with it.</param>
    internal abstract Launch Launch(IPEndPoint endPoint, string directory);

    /// <summary>Called on the running server before the first connection, outside every window: users, tokens, follows.</summary>
    internal virtual void Prepare(Rig rig, int connections)
    {
    }

    /// <summary>How a client connects and subscribes.</summary>
    internal abstract Dialect Dialect { get; }

    /// <summary>The POST that makes the server broadcast an event whose text, of the given length, carries a <see cref="Marker"/>.</summary>
    internal virtual byte[] Publication(IPEndPoint endPoint, int bytes) =>
        Api.Request(endPoint, "POST", "/publish", null, $"{{\"text\":\"{Marker.Text(0, bytes)}\"}}");

    /// <summary>What <c>bench/run.sh</c> prepares, or the sentence for when it could not.</summary>
    protected static string? MissingUnless(string path) => File.Exists(path) ? null : $"there is no {Path.GetRelativePath(Repository.Root, path)}";

    protected static string InPeers(string path) => Path.Combine(Repository.Root, "bench", "peers", path);
}
