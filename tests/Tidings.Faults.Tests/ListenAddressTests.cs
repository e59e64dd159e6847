using System.Net;
using System.Net.Sockets;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>An address on which the server can't listen is told in a sentence, and nothing else is.</summary>
public sealed class ListenAddressTests
{
    [Theory]
    [InlineData("nonsense", "Invalid url: 'nonsense'")]
    [InlineData("http://localhost:70000", "'http://localhost:70000' has no port between 1 and 65535")]
    [InlineData("http://192.0.2.1:5000", "can't listen on http://192.0.2.1:5000")] // an address that is nobody's
    public async Task A_wrong_address_is_told_in_a_sentence(string urls, string part)
    {
        var output = await RefusalOfAsync(ServerProcess.Create(new ServerSettings { Variables = new Dictionary<string, string> { ["ASPNETCORE_URLS"] = urls } }));

        output.ShouldStartWith("tidings: ");
        output.ShouldContain(part);
        output.ShouldContain("--urls");
    }

    [Fact]
    public async Task A_port_in_use_is_told_in_a_sentence()
    {
        var server = ServerProcess.Create();
        using var other = new TcpListener(IPAddress.Loopback, server.Port);
        other.Start();

        (await RefusalOfAsync(server)).ShouldBe($"tidings: The address http://127.0.0.1:{server.Port} is in use already. Choose another port with --urls http://localhost:5001.");
    }

    private static async Task<string> RefusalOfAsync(ServerProcess server)
    {
        await using var _ = server;
        var refusal = await Should.ThrowAsync<ServerDidNotStartException>(server.StartAgainAsync());
        refusal.ExitCode.ShouldBe(1);
        return refusal.Output.Trim().Split('\n').Where(static line => !line.StartsWith("tidings: warning", StringComparison.Ordinal)).ShouldHaveSingleItem();
    }
}
