#if MUTANTS
using Tidings.Realtime.Scheduling;

namespace Tidings.Simulation.Tests;

/// <summary>The checks can fail: each mistake that is made on purpose is found.</summary>
public sealed class MutantTests(ITestOutputHelper output)
{
    private const int Seeds = 40;
    private const int Steps = 4_000;

    [Theory]
    [InlineData(nameof(Mutant.AcknowledgeBeforeCommit), "I1")]
    [InlineData(nameof(Mutant.NoEpoch), "I2")]
    [InlineData(nameof(Mutant.AcceptGaps), "I2")]
    [InlineData(nameof(Mutant.ReleaseBeforeReplay), "I2")]
    [InlineData(nameof(Mutant.KeepDuplicates), "I4")]
    [InlineData(nameof(Mutant.FullFormInReplay), "I6")]
    public void A_mistake_is_found_within_forty_seeds(string name, string rule)
    {
        var mutant = Enum.Parse<Mutant>(name);
        for (var seed = 1; seed <= Seeds; seed++)
        {
            if (Simulation.Run(seed, Steps, () => Mutants.Active = mutant).Violation is not { } violation) continue;
            output.WriteLine($"seed {seed}: {violation.Split('\n')[0]}");
            violation.ShouldStartWith(rule);
            return;
        }

        Assert.Fail($"Nothing was found in {Seeds} seeds.");
    }
}
#endif
