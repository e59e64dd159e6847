using System.Diagnostics;

namespace Tidings.Bench;

/// <summary>The monotonic clock, in the stopwatch's own ticks; milliseconds only when something is printed.</summary>
internal static class Clock
{
    internal static long After(TimeSpan time) => Stopwatch.GetTimestamp() + Ticks(time);

    internal static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    internal static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;
}
