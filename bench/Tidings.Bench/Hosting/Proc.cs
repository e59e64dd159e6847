using System.Globalization;

namespace Tidings.Bench.Hosting;

/// <summary>What <c>/proc</c> says about one process.</summary>
internal static class Proc
{
    /// <summary>User and system time of all its threads, living and ended.</summary>
    internal static double CpuSeconds(int process)
    {
        var fields = Stat(process);
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
    }

    internal static long ResidentBytes(int process) =>
        long.Parse(
            File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) * 1024;

    /// <summary>Its worker processes; not every kernel lists them, so all processes are asked for their parent.</summary>
    internal static int[] Children(int process)
    {
        var parent = process.ToString(CultureInfo.InvariantCulture);
        return [.. Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && IsChild(id))];

        bool IsChild(int id)
        {
            try
            {
                return Stat(id)[1] == parent;
            }
            catch (IOException)
            {
                // It ended between the listing and the question.
                return false;
            }
        }
    }

    /// <summary>The fields behind the name, which may hold blanks: state first, then the parent.</summary>
    private static string[] Stat(int process)
    {
        var stat = File.ReadAllText($"/proc/{process}/stat");
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }
}
