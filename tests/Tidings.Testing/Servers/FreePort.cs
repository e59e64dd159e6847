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
    private static readonly ConcurrentDictionary<int, FileStream?> Taken = new();

    /// <summary>
    /// A loopback port on which nobody listens and which nobody here has been given: not by this process before, and not by another run of tests on this
    /// machine while that goes on.
    /// </summary>
    public static int Take()
    {
        for (var attempt = 0; attempt < 1_000; attempt++)
        {
            var port = Random.Shared.Next(15_000, 31_000);
            if (Taken.TryAdd(port, null) && TryReserve(port) && IsFree(port)) return port;
        }

        throw new InvalidOperationException("No free port after 1,000 attempts.");
    }

    /// <summary>Locks a file for the port until this process ends, however it ends.</summary>
    private static bool TryReserve(int port)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "tidings-ports"));
        try
        {
            Taken[port] = new FileStream(Path.Combine(folder.FullName, $"{port}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
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
