using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F20: the line is dead, and nobody says so.</summary>
public sealed class DeadLineTests
{
    [Fact]
    public async Task A_connection_that_is_dead_without_a_word_is_found_by_its_missing_pong()
    {
        await using var server = await ServerProcess.StartAsync();
        using var account = await Account.RegisterAsync(server, "account");
        using var watcher = await Account.RegisterAsync(server, "watcher");
        await using var proxy = new TcpProxy(server.Port);
        await using var dead = await NativeClient.ConnectAsync(proxy.Address, account.Token);
        await using var alive = await NativeClient.ConnectAsync(watcher);
        await alive.SubscribeAsync("presence:online");

        proxy.IsBlackHole = true;
        await Eventually.HoldsAsync(() => proxy.OpenToServer == 0, "the server has ended the dead connection", TimeSpan.FromSeconds(25 + 10 + 10));

        alive.IsOpen.ShouldBeTrue("a client that answers pings stays");
        var left = await alive.WaitForAsync(message => message.IsOfType("presence_left"), "that the dead client's user is not there any more");
        left.GetProperty("member").Text("userId").ShouldBe(account.Id);
    }
}
