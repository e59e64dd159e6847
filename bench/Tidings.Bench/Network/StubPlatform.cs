using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tidings.Bench.Network;

/// <summary>
/// Another platform, as little of it as connectors need: it answers every request with the same, and keeps when each POST came. Its threads share the
/// generator's core.
/// </summary>
internal sealed class StubPlatform : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly byte[] _answer;
    private readonly TimeSpan _delay;
    private readonly List<(string Path, DateTimeOffset At)> _posts = [];

    /// <summary>Listens.</summary>
    /// <param name="json">The body of each answer.</param>
    /// <param name="delay">How long a POST waits for its answer.</param>
    internal StubPlatform(string json, TimeSpan delay)
    {
        _delay = delay;
        _answer = Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}");
        _listener.Start(1_024);
        _ = AcceptAsync();
    }

    internal int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>When each POST came, and to which path, in order.</summary>
    internal IReadOnlyList<(string Path, DateTimeOffset At)> Posts
    {
        get
        {
            lock (_posts)
                return [.. _posts];
        }
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _listener.Stop();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptSocketAsync(_stopping.Token));
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It has been disposed of.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var _ = socket;
        var buffer = new byte[64 * 1024];
        var filled = 0;
        try
        {
            while (true)
            {
                int head;
                while ((head = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
                    filled += await ReadAsync(socket, buffer.AsMemory(filled));
                var lines = Encoding.ASCII.GetString(buffer, 0, head).Split("\r\n");
                var length = lines.Where(static line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)).Select(static line => int.Parse(line[15..].Trim())).FirstOrDefault();
                while (filled < head + 4 + length)
                    filled += await ReadAsync(socket, buffer.AsMemory(filled));
                buffer.AsSpan((head + 4 + length)..filled).CopyTo(buffer);
                filled -= head + 4 + length;

                if (lines[0].StartsWith("POST ", StringComparison.Ordinal))
                {
                    lock (_posts)
                        _posts.Add((lines[0].Split(' ')[1], TimeProvider.System.GetUtcNow()));
                    if (_delay > TimeSpan.Zero)
                        await Task.Delay(_delay, TimeProvider.System, _stopping.Token);
                }

                await socket.SendAsync(_answer, _stopping.Token);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException or EndOfStreamException)
        {
            // The other side has gone, or this one has.
        }
    }

    private async Task<int> ReadAsync(Socket socket, Memory<byte> rest)
    {
        var read = await socket.ReceiveAsync(rest, _stopping.Token);
        return read > 0 ? read : throw new EndOfStreamException();
    }
}
