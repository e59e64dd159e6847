using System.Collections.Concurrent;
using Tidings.Testing.Servers;

namespace Tidings.Testing.Checks;

/// <summary>
/// Keeps what reached whom and on which way, to be asked for a text afterwards. What must reach nobody is <see cref="CanaryWatch"/>'s. Safe for all threads.
/// </summary>
public sealed class Canary
{
    private readonly ConcurrentQueue<(string Reader, string Path, string Text)> _received = [];

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
