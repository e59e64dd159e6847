using System.Globalization;
using Tidings.Fuzz;
using Tidings.Testing;

// dotnet run --project tests/Tidings.Fuzz -- --seconds 60 [--target name] [--seed n]
// Without such arguments it runs the tests.
if (args is ["--child", ..]) return FuzzRun.RunChild(args);
if (args is not [("--seconds" or "--target" or "--seed"), ..]) return await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);

var seconds = 60.0;
var seed = TestRun.Seed;
var targets = AllTargets.List;
for (var index = 0; index + 1 < args.Length; index += 2)
{
    switch (args[index])
    {
        case "--seconds": seconds = double.Parse(args[index + 1], CultureInfo.InvariantCulture); break;
        case "--seed": seed = int.Parse(args[index + 1], CultureInfo.InvariantCulture); break;
        case "--target": targets = [AllTargets.Find(args[index + 1])]; break;
        default:
            Console.Error.WriteLine($"'{args[index]}' is not one of --seconds, --target, --seed.");
            return 2;
    }
}

Console.WriteLine($"seed {seed}");
var failures = 0;
await Parallel.ForEachAsync(targets, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, async (target, _) =>
{
    var result = await FuzzRun.RunAsync(target, TimeSpan.FromSeconds(seconds), seed);
    if (result.Failure is not null) Interlocked.Increment(ref failures);
    Console.WriteLine(result.Failure ?? $"{target.Name,-20} {result.Inputs,10} inputs");
});
return failures == 0 ? 0 : 1;
