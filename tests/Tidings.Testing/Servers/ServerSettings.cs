namespace Tidings.Testing.Servers;

/// <summary>How a server under test is started.</summary>
public sealed class ServerSettings
{
    /// <summary>Configuration keys without their <c>Tidings:</c>, such as <c>Features:Realtime</c>.</summary>
    public IDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Other variables of the environment, such as <c>TIDINGS_CRASH_AT</c>.</summary>
    public IDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    /// <summary>The directory for the data; null: a new one, which is deleted at the end.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>A command that becomes the server, such as <c>strace -D -f</c>.</summary>
    public IReadOnlyList<string> Launcher { get; init; } = [];

    /// <summary>Whether the limits of docs/configuration.md apply. Otherwise they are so high that no test meets them by accident.</summary>
    public bool HasLimits { get; init; }

    /// <summary>How long the server may take until it is ready.</summary>
    public TimeSpan ReadyWithin { get; init; } = TimeSpan.FromSeconds(60);

    internal static IEnumerable<(string Key, string Value)> NoLimits { get; } =
    [
        ("Limits:RequestsPerSecondPerUser", "1000000"),
        ("Limits:RequestsPerSecondPerAddress", "1000000"),
        ("Limits:ConnectionsPerAddress", "100000"),
        ("Limits:ConnectionsPerUser", "100000"),
        ("Limits:HandshakesPerSecond", "1000000"),
        ("Limits:MessagesPerSecond", "100000"),
        ("Limits:MessageBurst", "100000"),
    ];
}
