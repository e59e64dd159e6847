using System.Collections.Concurrent;
using Tidings.Testing.Servers;

namespace Tidings.Testing.Checks;

/// <summary>
/// Finds locked text where it must not be. Each locked body holds a marker of its own; every byte that reaches somebody is noted with who it
/// was and on which way it came, and the server's log is looked through as well. Safe for all threads.
/// </summary>
public sealed class Canary
{
    private readonly ConcurrentQueue<(string Reader, string Path, string Text)> _received = [];

    /// <summary>A text that is nowhere else.</summary>
    public static string NewMarker() => $"canary-{Guid.NewGuid():N}";

    /// <summary>Notes what reached a reader.</summary>
    public void Note(string reader, string path, string text) => _received.Enqueue((reader, path, text));

    /// <summary>The ways on which a reader has received a text.</summary>
    public IReadOnlyList<string> PathsOf(string reader, string text) =>
        [.. _received.Where(one => one.Reader == reader && one.Text.Contains(text, StringComparison.Ordinal)).Select(static one => one.Path).Distinct().Order()];

    /// <summary>Everybody who has received a text, and how.</summary>
    public IReadOnlyList<string> ReadersOf(string text) =>
        [.. _received.Where(one => one.Text.Contains(text, StringComparison.Ordinal)).Select(static one => $"{one.Reader} by {one.Path}").Distinct().Order()];

    /// <summary>Whether a server wrote a text into its log.</summary>
    public static bool IsInLog(ServerProcess server, string text) => server.Output.Text.Contains(text, StringComparison.Ordinal);
}
