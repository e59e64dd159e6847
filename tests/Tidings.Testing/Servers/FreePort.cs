using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Tidings.Testing.Servers;

/// <summary>
/// Finds ports below the range that outgoing connections take theirs from (32768 and up on Linux). A server that was killed comes back on
/// the same port; from that range, a client of another test might have taken it meanwhile.
/// </summary>
public static class FreePort
{
    private static readonly ConcurrentDictionary<int, bool> Taken = new();

    /// <summary>A loopback port on which nobody listens and which this process has not given out before.</summary>
    public static int Take()
    {
        for (var attempt = 0; attempt < 1_000; attempt++)
        {
            var port = Random.Shared.Next(15_000, 31_000);
            if (Taken.TryAdd(port, true) && IsFree(port)) return port;
        }

        throw new InvalidOperationException("No free port after 1,000 attempts.");
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
