using System.Diagnostics;
using System.Globalization;

namespace Tidings.Fuzz;

/// <summary>
/// One target for some time, in a process of its own. Each input has 50 ms of the processor and 4 MB; now and then one is made
/// twice and four times as long, which may not take much more than twice and four times as long to parse.
/// </summary>
internal sealed class Session(Target target, IReadOnlyList<byte[]> corpus, int seed, CurrentInput current)
{
    private const long MostBytes = 4 * 1024 * 1024;
    private const int InputsBetweenProbes = 500;
    private const int ProbeLength = 16 * 1024;
    private static readonly TimeSpan MostTime = TimeSpan.FromMilliseconds(50);

    private readonly Mutator _mutator = new(seed, corpus, target.Words);

    /// <summary>Runs for a time, all examples and their beginnings at least.</summary>
    /// <returns>What was wrong, or null; the input is the current one.</returns>
    public string? Run(TimeSpan time, out long inputs)
    {
        var clock = Stopwatch.StartNew();
        var least = corpus.Sum(static example => Math.Min(example.Length, 2_048) + 1);
        Warm();
        for (inputs = 0; inputs < least || clock.Elapsed < time; inputs++)
        {
            if (Try(_mutator.Next()) is { } problem) return problem;
            if (inputs % InputsBetweenProbes == InputsBetweenProbes - 1 && Probe() is { } slow) return slow;
        }

        return null;
    }

    private void Warm()
    {
        foreach (var example in corpus) _ = Try(example, withBudgets: false);
    }

    private string? Try(byte[] input, bool withBudgets = true)
    {
        current.Set(input);
        var copy = input.ToArray(); // some parsers work in place
        var before = GC.GetAllocatedBytesForCurrentThread();
        var started = ThreadClock.Now;
        try
        {
            target.Run(copy);
        }
        catch (Exception exception)
        {
            return exception.ToString();
        }

        if (!withBudgets) return null;
        var took = ThreadClock.Now - started;
        var bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        if (bytes > MostBytes) return string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes were allocated");

        // A first time may have compiled code or collected others' garbage; a parser that is slow is slow each time.
        if (took > MostTime && Fastest(input, 5) is var fastest && fastest > MostTime)
            return string.Create(CultureInfo.InvariantCulture, $"It took {fastest.TotalMilliseconds:0} ms");
        return null;
    }

    private string? Probe()
    {
        var scaled = _mutator.NextScalable();
        for (var attempt = 0; attempt < 4; attempt++)
        {
            var once = Fastest(scaled(ProbeLength), 3);
            var twice = Fastest(scaled(ProbeLength * 2), 3);
            var fourfold = Fastest(scaled(ProbeLength * 4), 3);
            if (!IsMoreThanLinear(once, twice, 4) || !IsMoreThanLinear(twice, fourfold, 4)) return null;
        }

        current.Set(scaled(ProbeLength * 4));
        return "Twice as much input takes four times as long, again and again";
    }

    private static bool IsMoreThanLinear(TimeSpan small, TimeSpan large, int most) =>
        large > TimeSpan.FromMilliseconds(1) && large > small * most;

    private TimeSpan Fastest(byte[] input, int times)
    {
        var fastest = TimeSpan.MaxValue;
        current.Set(input);
        for (var time = 0; time < times; time++)
        {
            var copy = input.ToArray();
            var started = ThreadClock.Now;
            target.Run(copy);
            var took = ThreadClock.Now - started;
            if (took < fastest) fastest = took;
        }

        return fastest;
    }
}
