using System.Net;
using System.Net.Sockets;

namespace Tidings.Testing.Network;

/// <summary>One connection through a <see cref="TcpProxy"/>.</summary>
internal sealed class ProxiedConnection(TcpProxy proxy, Socket client, int targetPort) : IDisposable
{
    private static readonly TimeSpan HoleCheck = TimeSpan.FromMilliseconds(20);
    private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private long _fromServer;

    public bool ServerHasEnded { get; private set; }

    public async Task RunAsync(CancellationToken end)
    {
        client.NoDelay = true;
        try
        {
            await _server.ConnectAsync(IPAddress.Loopback, targetPort, end);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            ServerHasEnded = true;
            Reset();
            return;
        }

        await Task.WhenAll(PumpAsync(client, _server, isFromServer: false, end), PumpAsync(_server, client, isFromServer: true, end));
        Dispose();
    }

    public void Dispose()
    {
        client.Dispose();
        _server.Dispose();
    }

    public void Reset()
    {
        foreach (var socket in new[] { client, _server })
        {
            try
            {
                socket.LingerState = new LingerOption(true, 0);
                socket.Close();
            }
            catch (Exception error) when (error is ObjectDisposedException or SocketException)
            {
                // It is gone already.
            }
        }
    }

    public void HalfClose()
    {
        try
        {
            _server.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is ObjectDisposedException or SocketException)
        {
            // It is gone already.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool isFromServer, CancellationToken end)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer.AsMemory(0, NextRead(isFromServer)), end) is var count and > 0)
            {
                if (proxy.Delay > TimeSpan.Zero) await Task.Delay(proxy.Delay, end);
                if (isFromServer && proxy.DownstreamBytesPerSecond is > 0 and var rate) await Task.Delay(TimeSpan.FromSeconds((double)count / rate), end);
                if (proxy.IsBlackHole) continue; // swallowed, as a dead link swallows
                await to.SendAsync(buffer.AsMemory(0, count), end);
                if (!isFromServer || (_fromServer += count) < proxy.CutAfterBytes || proxy.CutAfterBytes == 0) continue;
                Reset();
                return;
            }

            if (isFromServer) ServerHasEnded = true;
            while (proxy.IsBlackHole) await Task.Delay(HoleCheck, end);
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            if (isFromServer) ServerHasEnded = true;
        }
    }

    private int NextRead(bool isFromServer) => isFromServer && proxy.DownstreamBytesPerSecond > 0 ? Math.Clamp(proxy.DownstreamBytesPerSecond / 20, 1, 16 * 1024) : 16 * 1024;
}
