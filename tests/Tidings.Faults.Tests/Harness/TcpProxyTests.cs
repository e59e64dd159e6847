using System.Net;
using System.Net.Sockets;
using System.Text;
using Tidings.Testing;
using Tidings.Testing.Network;

namespace Tidings.Faults.Tests.Harness;

/// <summary>The bad network is as bad as it says.</summary>
public sealed class TcpProxyTests : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public TcpProxyTests() => _listener.Start();

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    [Fact]
    public async Task It_passes_bytes_both_ways()
    {
        await using var proxy = new TcpProxy(Port);
        var (client, server) = await ConnectAsync(proxy);

        await client.SendAsync("there"u8.ToArray());
        (await ReadAsync(server)).ShouldBe("there");
        await server.SendAsync("back"u8.ToArray());
        (await ReadAsync(client)).ShouldBe("back");
    }

    [Fact]
    public async Task A_cut_comes_after_so_many_bytes()
    {
        await using var proxy = new TcpProxy(Port) { CutAfterBytes = 10 };
        var (client, server) = await ConnectAsync(proxy);

        await server.SendAsync("0123456789"u8.ToArray());

        await Should.ThrowAsync<SocketException>(async () =>
        {
            while (await ReceiveAsync(client, new byte[100]) > 0) continue;
        });
    }

    [Fact]
    public async Task A_black_hole_swallows_and_says_nothing_but_notices_that_the_server_has_gone()
    {
        await using var proxy = new TcpProxy(Port);
        var (client, server) = await ConnectAsync(proxy);
        proxy.IsBlackHole = true;

        await server.SendAsync("lost"u8.ToArray());
        proxy.OpenToServer.ShouldBe(1);
        server.Dispose();
        await Eventually.HoldsAsync(() => proxy.OpenToServer == 0, "the proxy has seen the end");

        client.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectRead).ShouldBeFalse("the client hears neither the bytes nor the end");
    }

    [Fact]
    public async Task A_reset_is_an_error_on_both_sides()
    {
        await using var proxy = new TcpProxy(Port);
        var (client, server) = await ConnectAsync(proxy);

        proxy.Reset();

        await Should.ThrowAsync<SocketException>(() => ReceiveAsync(client, new byte[1]));
        await Should.ThrowAsync<SocketException>(() => ReceiveAsync(server, new byte[1]));
    }

    [Fact]
    public async Task A_half_close_ends_one_direction_only()
    {
        await using var proxy = new TcpProxy(Port);
        var (client, server) = await ConnectAsync(proxy);

        proxy.HalfClose();

        (await ReceiveAsync(server, new byte[1])).ShouldBe(0);
        await server.SendAsync("still"u8.ToArray());
        (await ReadAsync(client)).ShouldBe("still");
    }

    [Fact]
    public async Task Little_bandwidth_takes_its_time()
    {
        await using var proxy = new TcpProxy(Port) { DownstreamBytesPerSecond = 10_000 };
        var (client, server) = await ConnectAsync(proxy);
        var startedAt = TimeProvider.System.GetTimestamp();

        await server.SendAsync(new byte[5_000]);
        for (var received = 0; received < 5_000;) received += await ReceiveAsync(client, new byte[5_000]);

        TimeProvider.System.GetElapsedTime(startedAt).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(450));
    }

    public void Dispose() => _listener.Dispose();

    private async Task<(Socket Client, Socket Server)> ConnectAsync(TcpProxy proxy)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(proxy.Address.Host, proxy.Address.Port);
        return (client, await _listener.AcceptSocketAsync().WaitAsync(Eventually.Patience));
    }

    private static async Task<string> ReadAsync(Socket socket)
    {
        var buffer = new byte[100];
        return Encoding.ASCII.GetString(buffer, 0, await ReceiveAsync(socket, buffer));
    }

    private static Task<int> ReceiveAsync(Socket socket, byte[] buffer) => socket.ReceiveAsync(buffer).WaitAsync(Eventually.Patience);
}
