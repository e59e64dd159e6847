using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F20: the line is there, and the client does not answer.</summary>
public sealed class SilentClientTests(ITestOutputHelper output)
{
    private const double Megabyte = 1024 * 1024;

    [Fact]
    public async Task A_client_that_answers_no_pings_is_closed_with_the_code_for_it()
    {
        await using var server = await ServerProcess.StartAsync();
        using var raw = await RawWebSocket.OpenAsync(server.Address, UserToken.For("silent", server.AuthSecret));
        (await raw.ReadToCloseAsync(TimeSpan.FromSeconds(25 + 10 + 10))).Code.ShouldBe(4408);
    }

    [Fact]
    public async Task Many_that_say_nothing_after_the_handshake_leave_no_memory_behind()
    {
        var crowd = TestRun.Number(500, 5_000);
        await using var server = await ServerProcess.StartAsync();
        using var author = await Account.OfHostAsync(server, "author");

        // The first crowds make the process as large as such a crowd needs it. From then on it is now a little larger, now a little smaller, but does not grow.
        for (var warming = 0; warming < 3; warming++) await ComeAndGoAsync(server, crowd);
        var before = server.Status;
        var sizes = new List<double>();
        for (var round = 0; round < 8; round++)
        {
            await ComeAndGoAsync(server, crowd);
            sizes.Add(server.Status.ResidentBytes / Megabyte);
            await using var reader = await NativeClient.ConnectAsync(author);
            await reader.SubscribeAsync(author.Creator);
            await author.PostAsync($"{round}");
            await reader.WaitForAsync(message => message.PostText() == $"{round}", "others are served");
        }

        output.WriteLine($"{crowd} connections at a time; {string.Join(" ", sizes.Select(static size => $"{size:0.0}"))} MB");
        sizes.TakeLast(4).Min().ShouldBeLessThanOrEqualTo(sizes.Take(4).Max() * 1.02);
        await Eventually.HoldsAsync(() => server.Status.Files < before.Files + 20, "their sockets are closed");
    }

    private static async Task ComeAndGoAsync(ServerProcess server, int crowd)
    {
        var silent = new RawWebSocket[crowd];
        await Parallel.ForEachAsync(Enumerable.Range(0, crowd), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (number, _) =>
            silent[number] = await RawWebSocket.OpenAsync(server.Address, UserToken.For($"silent-{number % 100}", server.AuthSecret)));
        foreach (var socket in silent) socket.Dispose();
        await Eventually.HoldsAsync(async () => await server.GetMetricAsync("tidings_connections", "websocket") == 0, "all are gone", TimeSpan.FromSeconds(60));
    }
}
