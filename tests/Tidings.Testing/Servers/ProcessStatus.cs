using System.Globalization;

namespace Tidings.Testing.Servers;

/// <summary>What Linux knows about a process.</summary>
/// <param name="ResidentBytes">Memory that is really there.</param>
/// <param name="Threads">Number of threads.</param>
/// <param name="Files">Number of open files and sockets, but for its libraries, which are opened when they are first used and stay open.</param>
public sealed record ProcessStatus(long ResidentBytes, int Threads, int Files)
{
    /// <summary>Reads <c>/proc</c>.</summary>
    public static ProcessStatus Of(int processId)
    {
        var lines = File.ReadAllLines($"/proc/{processId}/status");
        return new ProcessStatus(
            ReadNumber(lines, "VmRSS:") * 1024,
            (int)ReadNumber(lines, "Threads:"),
            Directory.GetFileSystemEntries($"/proc/{processId}/fd").Count(static entry => !IsLibrary(entry)));
    }

    private static bool IsLibrary(string entry)
    {
        try
        {
            return new FileInfo(entry).LinkTarget is { } target && (target.EndsWith(".dll", StringComparison.Ordinal) || target.EndsWith(".so", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            return true; // closed since it was listed
        }
    }

    private static long ReadNumber(string[] lines, string name) =>
        long.Parse(lines.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
