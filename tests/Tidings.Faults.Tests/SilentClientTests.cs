using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F20: the line is there, and the client does not answer.</summary>
public sealed class SilentClientTests
{
    [Fact]
    public async Task A_client_that_answers_no_pings_is_closed_with_the_code_for_it()
    {
        await using var server = await ServerProcess.StartAsync();
        using var raw = await RawWebSocket.OpenAsync(server.Address, UserToken.For("silent", server.AuthSecret));
        (await raw.ReadToCloseAsync(TimeSpan.FromSeconds(25 + 10 + 10))).Code.ShouldBe(4408);
    }
}
