using System.Diagnostics;
using Tidings.Testing;
using Tidings.Testing.Servers;

namespace Tidings.Deploy.Tests;

/// <summary><c>tidings health</c> as a container or service manager runs it: as a process beside the server's.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task It_says_whether_the_server_is_ready_from_its_start_to_its_end()
    {
        await using var server = ServerProcess.Create();
        (await AskAsync(server)).ShouldBe((1, ""));
        server.Launch();
        (await AskAsync(server, "--wait", "60")).ShouldBe((0, "ready"));
        await server.StopAsync();
        (await AskAsync(server)).ShouldBe((1, ""));
    }

    [Fact]
    public async Task A_server_that_stands_still_is_not_healthy()
    {
        await using var server = await ServerProcess.StartAsync();
        server.Pause();
        (await AskAsync(server)).ExitCode.ShouldBe(1);
        server.Resume();
        await Eventually.HoldsAsync(async () => (await AskAsync(server)).ExitCode == 0, "it is healthy again");
    }

    private static async Task<(int ExitCode, string Output)> AskAsync(ServerProcess server, params string[] more)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Repository.ServerBinary, "health", .. more])
        {
            Environment = { ["ASPNETCORE_URLS"] = $"http://0.0.0.0:{server.Port}" },   // as in the image: the same variable that the server has
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, (await output).Trim());
    }
}
