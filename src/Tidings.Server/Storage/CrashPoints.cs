using System.Diagnostics;

namespace Tidings.Server.Storage;

/// <summary>
/// Places where a test may end the process as a crash would: <c>TIDINGS_CRASH_AT=before-commit:3</c> ends it the third time that the
/// place is reached. Only in builds with CRASH_POINTS; elsewhere the calls are not compiled.
/// </summary>
internal static class CrashPoints
{
    private static readonly (string Name, int Hit) Wanted = Parse(Environment.GetEnvironmentVariable("TIDINGS_CRASH_AT"));
    private static int _hits;

    [Conditional("CRASH_POINTS")]
    public static void Reached(string name)
    {
        if (Wanted.Hit == 0 || name != Wanted.Name) return;
        if (Interlocked.Increment(ref _hits) == Wanted.Hit) Environment.FailFast($"Crash point {name} reached {Wanted.Hit} times.");
    }

    private static (string Name, int Hit) Parse(string? text)
    {
        var split = text?.LastIndexOf(':') ?? -1;
        return split > 0 && int.TryParse(text.AsSpan(split + 1), out var hit) ? (text![..split], hit) : ("", 0);
    }
}
