using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Tidings.Library.Tests.Support;
using Tidings.Protocols;
using Tidings.Realtime.Connections;

namespace Tidings.Library.Tests;

/// <summary>Connections that end before <c>UseTidings</c> knows what they are, or whose they are.</summary>
public sealed class EarlyUpgradeEndTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("")]
    [InlineData("GET /ws HTTP/1.1\r\nHost: a")]
    public async Task A_host_that_stops_does_not_wait_for_connections_that_have_not_said_what_they_want(string said)
    {
        await using var app = await HostApp.StartAsync(listen: static listen => listen.UseTidings());
        using var client = new TcpClient();
        await client.ConnectAsync(app.Address.Host, app.Address.Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(said));
        await app.SignInAsync("ann"); // connections are accepted in their order: the silent one is there by now

        await app.StopAsync().WaitAsync(Soon, TimeProvider.System);
    }

    [Fact]
    public async Task A_client_that_leaves_while_its_token_is_looked_at_is_no_fault()
    {
        var slow = new SlowAuthenticator();
        var served = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = await HostApp.StartAsync(
            services: services => services.AddSingleton<IConnectionAuthenticator>(slow),
            listen: listen =>
            {
                listen.Use(next => connection =>
                {
                    var serving = next(connection);
                    served.TrySetResult(serving);
                    return serving;
                });
                listen.UseTidings();
            });

        using (var client = new TcpClient { LingerState = new LingerOption(enable: true, seconds: 0) }) // leaves with a reset
        {
            await client.ConnectAsync(app.Address.Host, app.Address.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"GET /ws?token=t HTTP/1.1\r\nHost: {app.Address.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"));
            await slow.Asked.WaitAsync(Soon, TimeProvider.System);
        }

        await (await served.Task).WaitAsync(Soon, TimeProvider.System); // an exception would be in the host's log as unhandled
    }

    private sealed class SlowAuthenticator : IConnectionAuthenticator
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => _asked.Task;

        public async ValueTask<TokenVerdict> AuthenticateAsync(string token, CancellationToken cancellationToken)
        {
            _asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return new TokenVerdict(null);
        }
    }
}
