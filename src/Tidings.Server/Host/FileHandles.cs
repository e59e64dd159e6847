using System.Globalization;

namespace Tidings.Server.Host;

/// <summary>How many files this process may have open: every connection is one, and so are the database's files and the REST requests.</summary>
internal static class FileHandles
{
    private const string Limits = "/proc/self/limits";
    private const string Line = "Max open files";

    /// <summary>Fewer than this are a limit that somebody forgot rather than chose.</summary>
    private const int Few = 10_000;

    /// <summary>The system's limit; null where there is none or it is not known. The runtime has raised it as far as it may.</summary>
    public static int? Limit()
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            return LimitIn(File.ReadLines(Limits));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>How many live connections there is room for: a fifth of the handles is kept for everything else.</summary>
    public static int? Connections() => ConnectionsWithin(Limit());

    /// <inheritdoc cref="Connections()" />
    public static int? ConnectionsWithin(int? handles) => handles is { } most ? Math.Max(1, most - (most / 5)) : null;

    /// <summary>A sentence if the limit is so low that clients would be turned away early.</summary>
    public static string? WarningFor(int? handles) => handles is { } most and < Few
        ? $"this process may open only {most} files, so at most {ConnectionsWithin(most)} live connections are taken: raise the limit (ulimit -n, or LimitNOFILE of the service)."
        : null;

    /// <summary>The soft limit in the lines of <c>/proc/self/limits</c>.</summary>
    public static int? LimitIn(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            if (!line.StartsWith(Line, StringComparison.Ordinal)) continue;
            var soft = line[Line.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
            return int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
        }

        return null;
    }
}
