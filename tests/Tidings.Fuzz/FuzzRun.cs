using System.Diagnostics;
using System.Globalization;

namespace Tidings.Fuzz;

/// <summary>What came of one target.</summary>
/// <param name="Target">Which.</param>
/// <param name="Inputs">How many inputs it got.</param>
/// <param name="Failure">What was wrong, how to repeat it and where its input is; null if nothing was.</param>
internal sealed record FuzzResult(Target Target, long Inputs, string? Failure);

/// <summary>Runs targets, each in a child process, so that one that overflows its stack is seen and named.</summary>
internal static class FuzzRun
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs a target in a child.</summary>
    public static async Task<FuzzResult> RunAsync(Target target, TimeSpan time, int seed)
    {
        var path = Path.Combine(Path.GetTempPath(), $"tidings-fuzz-{target.Name}-{Guid.NewGuid():N}");
        using var current = new CurrentInput(path);
        try
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
            if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(FuzzRun).Assembly.Location);
            foreach (var argument in (string[])["--child", target.Name, Text(time.TotalSeconds), Text(seed), path]) start.ArgumentList.Add(argument);

            using var child = Process.Start(start)!;
            var output = child.StandardOutput.ReadToEndAsync();
            var errors = child.StandardError.ReadToEndAsync();
            var isHanging = false;
            using (var patience = new CancellationTokenSource(time + Patience))
            {
                try
                {
                    await child.WaitForExitAsync(patience.Token);
                }
                catch (OperationCanceledException)
                {
                    isHanging = true;
                    child.Kill();
                }
            }

            var said = await output;
            if (child.ExitCode == 0 && !isHanging) return new FuzzResult(target, long.Parse(said, CultureInfo.InvariantCulture), null);

            var why = isHanging ? "It does not come to an end." : said.Length > 0 ? said : $"The process ended with {child.ExitCode}: {Beginning(await errors)}";
            return new FuzzResult(target, 0, $"{target.Name}, seed {seed}: {why}\nThe input is in {Corpus.Keep(target, current.Get())}");
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Is the child: says how many inputs it tried, or what was wrong.</summary>
    public static int RunChild(string[] arguments)
    {
        var target = AllTargets.Find(arguments[1]);
        using var current = new CurrentInput(arguments[4]);
        var session = new Session(target, Corpus.Of(target), int.Parse(arguments[3], CultureInfo.InvariantCulture), current);
        var problem = session.Run(TimeSpan.FromSeconds(double.Parse(arguments[2], CultureInfo.InvariantCulture)), out var inputs);
        Console.Out.Write(problem ?? Text(inputs));
        return problem is null ? 0 : 1;
    }

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);

    private static string Beginning(string text) => text.Length <= 2_000 ? text : text[..2_000];
}
