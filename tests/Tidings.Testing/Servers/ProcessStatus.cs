using System.Globalization;

namespace Tidings.Testing.Servers;

/// <summary>What Linux knows about a process.</summary>
/// <param name="ResidentBytes">Memory that is really there.</param>
/// <param name="Threads">Number of threads.</param>
/// <param name="Files">Number of open files and sockets.</param>
public sealed record ProcessStatus(long ResidentBytes, int Threads, int Files)
{
    /// <summary>Reads <c>/proc</c>.</summary>
    public static ProcessStatus Of(int processId)
    {
        var lines = File.ReadAllLines($"/proc/{processId}/status");
        return new ProcessStatus(
            ReadNumber(lines, "VmRSS:") * 1024,
            (int)ReadNumber(lines, "Threads:"),
            Directory.GetFileSystemEntries($"/proc/{processId}/fd").Length);
    }

    private static long ReadNumber(string[] lines, string name) =>
        long.Parse(lines.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
