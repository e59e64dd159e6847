using System.Globalization;

namespace Tidings.Simulation.Tests;

/// <summary>The real engine, several times, with crashes, a lossy bus and virtual time: I1 to I6 and I9 of the invariants hold.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Steps = 4_000;

    [Fact]
    public void Readers_miss_nothing_and_see_nothing_twice_whatever_happens()
    {
        var count = TestRun.Number(inQuickRun: 100, inLongRun: 6_000);
        var repeated = Environment.GetEnvironmentVariable("TIDINGS_SEED") is not null;
        output.WriteLine($"seeds {TestRun.Seed} to {TestRun.Seed + count - 1}; TIDINGS_SEED={TestRun.Seed} repeats the first");

        var recovered = 0;
        var notRecovered = 0;
        for (var index = 0; index < (repeated ? 1 : count); index++)
        {
            var seed = unchecked(TestRun.Seed + index);
            var outcome = Simulation.Run(seed, Steps);
            outcome.Violation.ShouldBeNull(string.Create(CultureInfo.InvariantCulture, $"TIDINGS_SEED={seed} repeats it"));
            recovered += outcome.Recovered;
            notRecovered += outcome.NotRecovered;
        }

        output.WriteLine($"{recovered} times recovered, {notRecovered} times not");
        recovered.ShouldBeGreaterThan(notRecovered / 10, "a reader that is never told that it has everything proves nothing");
    }

    [Fact]
    public void A_seed_repeats_its_run()
    {
        for (var seed = 1; seed <= 10; seed++) Simulation.Run(seed, Steps).Fingerprint.ShouldBe(Simulation.Run(seed, Steps).Fingerprint, $"seed {seed}");
    }
}
