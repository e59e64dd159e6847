using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F20: a client that talks and does not listen. No pong is missing, and what waits for it is less than the limit.</summary>
public sealed class ZeroWindowTests
{
    private static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_client_that_keeps_sending_and_takes_nothing_is_cut_and_its_memory_freed()
    {
        await using var server = await ServerProcess.StartAsync();
        using var author = await Account.RegisterAsync(server, "author");
        using var deaf = await RawWebSocket.OpenAsync(server.Address, author.Token, receiveBuffer: 4_096);
        await deaf.SendTextAsync($$"""{"type":"subscribe","id":1,"channel":"{{author.Creator}}"}""");
        await Eventually.HoldsAsync(async () => await server.GetMetricAsync("tidings_subscriptions") >= 2, "it is subscribed");
        var padding = new string('x', 9_000);
        for (var number = 0; await server.GetMetricAsync("tidings_outbound_bytes") < 64 * 1024 && number < 2_000; number++) await author.PostAsync($"{number} {padding}");
        (await server.GetMetricAsync("tidings_slow_readers_total")).ShouldBe(0, "the limit is not reached");

        var pause = Deadline.In(TimeSpan.Zero);
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    if (pause.IsOver) pause = await SendAsync();
                }
                catch (IOException)
                {
                    // It is cut.
                }

                return await server.GetMetricAsync("tidings_slow_readers_total") == 1;
            },
            "it is cut",
            WriteTimeout + TimeSpan.FromSeconds(10));
        await Eventually.HoldsAsync(async () => await server.GetMetricAsync("tidings_outbound_bytes") == 0 && await server.GetMetricAsync("tidings_connections", "websocket") == 0, "nothing is left of it");

        async Task<Deadline> SendAsync()
        {
            await deaf.SendFrameAsync(0x8A, []); // an unasked-for pong: a sign of life that asks for no answer
            return Deadline.In(TimeSpan.FromSeconds(1));
        }
    }
}
