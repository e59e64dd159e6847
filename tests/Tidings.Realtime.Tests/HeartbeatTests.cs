using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Tests;

public sealed class HeartbeatTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public async Task A_silent_peer_is_pinged_and_then_given_up()
    {
        await using var host = await EngineHost.StartAsync(clock: _clock);
        var client = host.Connect();
        await client.SeesAsync("connected 42");

        _clock.Advance(TimeSpan.FromSeconds(26));
        await client.SeesAsync("ping");
        client.Connection.IsClosing.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(10));

        (await client.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe(CloseReason.NoPong);
    }

    [Fact]
    public async Task Any_sign_of_life_keeps_a_connection()
    {
        await using var host = await EngineHost.StartAsync(clock: _clock);
        var client = host.Connect();
        await client.SeesAsync("connected 42");

        for (var minute = 0; minute < 10; minute++)
        {
            _clock.Advance(TimeSpan.FromSeconds(30));
            await client.Transport.WaitAsync(lines => lines.Count(line => line == "ping") == minute + 1, "a ping");
            client.Connection.MarkAlive();
        }

        client.Connection.IsClosing.ShouldBeFalse();
    }

    [Fact]
    public async Task A_token_that_ends_is_announced_and_then_closes_the_connection()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, HeartbeatInterval = TimeSpan.FromHours(1) }, _clock);
        var transport = new TestTransport();
        var connection = host.Engine.TryConnect(new ClientIdentity("42", _clock.GetUtcNow().AddSeconds(70)), LineFormat.Instance, transport, null, out _)!;
        await transport.WaitAsync(lines => lines.Contains("connected 42"), "connected");

        _clock.Advance(TimeSpan.FromSeconds(11));
        await transport.WaitAsync(lines => lines.Contains(nameof(TokenExpiringMessage)), "the warning");
        _clock.Advance(TimeSpan.FromSeconds(59));
        connection.IsClosing.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(31));

        (await connection.Completion.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe(CloseReason.TokenExpired);
    }

    [Fact]
    public async Task A_renewed_token_must_be_of_the_same_user()
    {
        await using var host = await EngineHost.StartAsync(clock: _clock);
        var client = host.Connect("42");

        await client.HandleAsync(new AuthenticateCommand(1, "43"));
        await client.SeesAsync("error Forbidden ");
        await client.HandleAsync(new AuthenticateCommand(2, "42"));
        await client.SeesAsync(nameof(AuthenticatedMessage));
        await client.HandleAsync(new AuthenticateCommand(3, "bad"));

        (await client.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe(CloseReason.InvalidToken);
    }
}
