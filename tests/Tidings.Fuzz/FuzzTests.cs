using Shouldly;
using Tidings.Testing;
using Xunit;

namespace Tidings.Fuzz;

/// <summary>No parser throws what it does not declare, takes more than 50 ms of the processor or 4 MB, or ends the process, whatever it is given.</summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    [Fact]
    public async Task No_parser_is_broken_by_damaged_input()
    {
        var time = TimeSpan.FromSeconds(TestRun.Number(inQuickRun: 1, inLongRun: 60));
        output.WriteLine($"seed {TestRun.Seed}; TIDINGS_SEED={TestRun.Seed} repeats it");

        var failures = new List<string>();
        await Parallel.ForEachAsync(AllTargets.List, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, async (target, _) =>
        {
            var result = await FuzzRun.RunAsync(target, time, TestRun.Seed);
            lock (failures)
            {
                output.WriteLine($"{target.Name}: {result.Inputs} inputs");
                if (result.Failure is not null) failures.Add(result.Failure);
            }
        });

        failures.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("throws")]
    [InlineData("overflows")]
    [InlineData("allocates")]
    [InlineData("dawdles")]
    [InlineData("squares")]
    public async Task A_parser_that_is_broken_is_found(string name)
    {
        var result = await FuzzRun.RunAsync(BrokenTargets.Find(name), TimeSpan.FromMinutes(1), seed: 1);

        result.Failure.ShouldNotBeNull();
        File.Delete(result.Failure[(result.Failure.LastIndexOf(' ') + 1)..]);
    }
}
