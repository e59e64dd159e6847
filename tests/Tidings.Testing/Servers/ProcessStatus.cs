using System.Globalization;

namespace Tidings.Testing.Servers;

/// <summary>What Linux knows about a process.</summary>
/// <param name="ResidentBytes">Memory that is really there.</param>
/// <param name="Threads">Number of threads.</param>
/// <param name="Files">Number of open files and sockets, but for its libraries, which are opened when they are first used and stay open.</param>
/// <param name="Connections">How many of the files are TCP connections that the other side holds open too: its business, not a leak.</param>
public sealed record ProcessStatus(long ResidentBytes, int Threads, int Files, int Connections)
{
    private const string Established = "01";

    /// <summary>Reads <c>/proc</c>.</summary>
    public static ProcessStatus Of(int processId)
    {
        var lines = File.ReadAllLines($"/proc/{processId}/status");
        var files = Directory.GetFileSystemEntries($"/proc/{processId}/fd").Select(TargetOf).Where(static target => target is not null && !IsLibrary(target)).ToList();
        var connected = ReadConnected(processId);
        return new ProcessStatus(ReadNumber(lines, "VmRSS:") * 1024, (int)ReadNumber(lines, "Threads:"), files.Count, files.Count(file => connected.Contains(file!)));
    }

    /// <summary>What an open file is; null if it was closed since it was listed.</summary>
    private static string? TargetOf(string entry)
    {
        try
        {
            return new FileInfo(entry).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static bool IsLibrary(string target) => target.EndsWith(".dll", StringComparison.Ordinal) || target.EndsWith(".so", StringComparison.Ordinal);

    /// <summary>The sockets whose other side has not closed, as <c>/proc/PID/fd</c> writes them.</summary>
    private static HashSet<string> ReadConnected(int processId) =>
    [
        .. new[] { "tcp", "tcp6" }
            .SelectMany(table => File.ReadLines($"/proc/{processId}/net/{table}").Skip(1))
            .Select(static line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Where(static columns => columns[3] == Established)
            .Select(static columns => $"socket:[{columns[9]}]"),
    ];

    private static long ReadNumber(string[] lines, string name) =>
        long.Parse(lines.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
