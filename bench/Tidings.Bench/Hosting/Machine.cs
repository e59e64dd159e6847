using System.Globalization;

namespace Tidings.Bench.Hosting;

/// <summary>The whole machine, as <c>/proc/stat</c> counts it; the process itself sees only the core that it is pinned to.</summary>
internal static class Machine
{
    internal static int Cores { get; } =
        File.ReadLines("/proc/stat").Count(line => line.StartsWith("cpu", StringComparison.Ordinal) && char.IsAsciiDigit(line[3]));

    /// <summary>Seconds that all cores were busy, and that the hypervisor gave to somebody else.</summary>
    internal static (double Busy, double Stolen) Seconds()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        double Field(int index) => long.Parse(fields[index], CultureInfo.InvariantCulture) / 100.0;
        return (Field(1) + Field(2) + Field(3) + Field(6) + Field(7), Field(8));
    }
}
