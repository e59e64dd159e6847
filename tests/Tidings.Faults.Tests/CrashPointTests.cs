using Tidings.Testing;

namespace Tidings.Faults.Tests;

/// <summary>F2: the process ends at a named step of a write, the first, second and third time that it gets there.</summary>
public sealed class CrashPointTests(ITestOutputHelper output)
{
    private static readonly TimeSpan ReachedWithin = TimeSpan.FromSeconds(30);

    /// <summary>The steps are named in the server's <c>Storage</c> folder; only Debug builds have them.</summary>
    public static TheoryData<string> Steps { get; } =
        ["unit-run", "before-commit", "after-commit", "after-complete", "before-carry", "after-carry", "before-mark", "after-mark"];

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_crash_at_a_step_of_a_write_loses_nothing_and_repeats_nothing(string step)
    {
        await using var scenario = await Scenario.StartAsync();
        var (server, writer) = (scenario.Server, scenario.Writer);
        for (var hit = 1; hit <= TestRun.Number(3, 10); hit++)
        {
            await server.KillAsync();
            server.NextVariables["TIDINGS_CRASH_AT"] = $"{step}:{hit}";
            server.Launch();

            var deadline = Deadline.In(ReachedWithin);
            while (server.IsRunning && !deadline.IsOver) await Task.WhenAll(writer.WriteOneAsync(), writer.WriteOneAsync(), Task.Delay(5));
            server.IsRunning.ShouldBeFalse($"{step}:{hit} was not reached in {ReachedWithin.TotalSeconds} s");
            (await server.WaitForExitAsync()).ShouldNotBe(0);
            server.Output.Text.ShouldContain($"Crash point {step} reached {hit} times");

            await server.StartAgainAsync();
            await writer.SettleAsync();
        }

        await scenario.JudgeAsync();
        output.WriteLine($"{writer.Asked} posts, {scenario.Log.AcknowledgedCount} acknowledgements");
        foreach (var reader in scenario.Readers) reader.NotRecovered.ShouldBe(0, reader.Name);
    }
}
