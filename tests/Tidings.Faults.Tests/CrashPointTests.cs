using Tidings.Testing;

namespace Tidings.Faults.Tests;

/// <summary>F2: the process ends at a named step, the first, second and third time that it gets there.</summary>
/// <remarks>The steps are named in the server's <c>Storage</c> folder; only Debug builds have them.</remarks>
public abstract class CrashPointTests(ITestOutputHelper output)
{
    private const int PostsPerSecond = 200;
    private static readonly TimeSpan ReachedWithin = TimeSpan.FromSeconds(30);

    protected async Task CrashAtAsync(string step)
    {
        await using var scenario = await Scenario.StartAsync();
        var (server, writer) = (scenario.Server, scenario.Writer);
        for (var hit = 1; hit <= TestRun.Number(3, 10); hit++)
        {
            await server.KillAsync();
            server.NextVariables["TIDINGS_CRASH_AT"] = $"{step}:{hit}";
            server.Launch();

            using (var stop = new CancellationTokenSource())
            {
                var writing = writer.WriteAsync(PostsPerSecond, stop.Token);
                try
                {
                    (await server.WaitForExitAsync(ReachedWithin)).ShouldNotBe(0, step);
                }
                finally
                {
                    await stop.CancelAsync();
                    await writing;
                }
            }

            server.Output.Text.ShouldContain($"Crash point {step} reached {hit} times");
            await server.StartAgainAsync();
            await writer.SettleAsync();
        }

        await scenario.JudgeAsync();
        output.WriteLine($"{writer.Asked} posts, {scenario.Log.AcknowledgedCount} acknowledgements");
        foreach (var reader in scenario.Readers) reader.NotRecovered.ShouldBe(0, reader.Name);
    }
}

/// <summary>Steps of the commit.</summary>
public sealed class CommitCrashTests(ITestOutputHelper output) : CrashPointTests(output)
{
    [Theory]
    [InlineData("unit-run")]
    [InlineData("before-commit")]
    [InlineData("after-commit")]
    [InlineData("after-complete")]
    public Task A_crash_while_committing_loses_nothing_and_repeats_nothing(string step) => CrashAtAsync(step);
}

/// <summary>Steps of the way from the log to the readers.</summary>
public sealed class CarryingCrashTests(ITestOutputHelper output) : CrashPointTests(output)
{
    [Theory]
    [InlineData("before-carry")]
    [InlineData("after-carry")]
    public Task A_crash_while_carrying_loses_nothing_and_repeats_nothing(string step) => CrashAtAsync(step);
}

/// <summary>Steps of noting how far it was carried, which happens every few seconds.</summary>
public sealed class MarkingCrashTests(ITestOutputHelper output) : CrashPointTests(output)
{
    [Theory]
    [InlineData("before-mark")]
    [InlineData("after-mark")]
    public Task A_crash_while_marking_loses_nothing_and_repeats_nothing(string step) => CrashAtAsync(step);
}
