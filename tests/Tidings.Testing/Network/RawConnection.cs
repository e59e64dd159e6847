using System.Net.Sockets;
using System.Text;

namespace Tidings.Testing.Network;

/// <summary>A TCP connection by hand, for what is not HTTP, or not quite.</summary>
public sealed class RawConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private RawConnection()
    {
    }

    /// <summary>Connects and says nothing.</summary>
    /// <param name="server">The server or a proxy before it.</param>
    /// <param name="receiveBuffer">The kernel's buffer for what we do not read; 0: as usual.</param>
    public static async Task<RawConnection> OpenAsync(Uri server, int receiveBuffer = 0)
    {
        var connection = new RawConnection();
        if (receiveBuffer > 0) connection._socket.ReceiveBufferSize = receiveBuffer;
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        await connection._socket.ConnectAsync(server.Host, server.Port, deadline.Token);
        return connection;
    }

    /// <summary>Sends bytes as they are; a server that has hung up meanwhile is no failure.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        try
        {
            while (!bytes.IsEmpty) bytes = bytes[await _socket.SendAsync(bytes, deadline.Token)..];
        }
        catch (SocketException)
        {
            // What it said before it hung up can still be read.
        }
    }

    /// <summary>Tells the server that no more comes.</summary>
    public void EndSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // It has hung up.
        }

    }

    /// <summary>Reads to the end of the head of an answer, or to the end of the connection.</summary>
    /// <param name="number">Which answer, from 1.</param>
    /// <returns>From that answer on, each byte a character; empty if there is none.</returns>
    public async Task<string> ReadAnswerAsync(int number = 1)
    {
        var said = await ReadAsync(so => From(so, number).Contains("\r\n\r\n", StringComparison.Ordinal));
        return From(said, number);
    }

    /// <summary>Reads until a text has come, or to the end of the connection.</summary>
    public Task<string> ReadUntilAsync(string text) => ReadAsync(so => so.Contains(text, StringComparison.Ordinal));

    /// <summary>Reads until the server ends the connection; it not doing so in time is a failure.</summary>
    /// <returns>What it said, each byte a character.</returns>
    public Task<string> ReadToEndAsync() => ReadAsync(_ => false);

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();

    private static string From(string said, int answer)
    {
        var at = -1;
        do
        {
            at = said.IndexOf("HTTP/1.1 ", at + 1, StringComparison.Ordinal);
        }
        while (at >= 0 && --answer > 0);

        return at < 0 ? "" : said[at..];
    }

    private async Task<string> ReadAsync(Func<string, bool> isEnough)
    {
        using var deadline = new CancellationTokenSource(Eventually.Patience);
        var said = new StringBuilder();
        var buffer = new byte[4_096];
        try
        {
            while (!isEnough(said.ToString()))
            {
                var count = await _socket.ReceiveAsync(buffer.AsMemory(), deadline.Token);
                if (count == 0) break;
                said.Append(Encoding.Latin1.GetString(buffer, 0, count));
            }
        }
        catch (SocketException)
        {
            // A reset is an end too.
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The server did not end in time; it said: {said}");
        }

        return said.ToString();
    }
}
