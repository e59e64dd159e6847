using System.Globalization;

namespace Tidings.Testing;

/// <summary>How this run was asked for: quick or long, and with which seed.</summary>
public static class TestRun
{
    /// <summary><c>./test.sh --long</c>: the big numbers.</summary>
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("TIDINGS_LONG") == "1";

    /// <summary>The seed of everything random; tests print it, and <c>TIDINGS_SEED</c> repeats it.</summary>
    public static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("TIDINGS_SEED"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var seed) ? seed : Environment.TickCount;

    /// <summary>The number that suits the run.</summary>
    public static int Number(int inQuickRun, int inLongRun) => IsLong ? inLongRun : inQuickRun;

    /// <summary>A source of chance that the seed repeats. Not thread-safe: each task takes its own, with another salt.</summary>
    public static Random Chance(int salt = 0) => new(unchecked((Seed * 397) ^ salt));
}
