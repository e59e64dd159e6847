using System.Globalization;
using System.Security.Cryptography;

namespace Tidings.Bench.Hosting;

/// <summary>Where servers run, and this run's secrets.</summary>
internal sealed class ServerSettings
{
    internal ServerSettings(Options options)
    {
        Assembly = Path.GetFullPath(options.Text("server") ?? Path.Combine(Repository.Root, "src/Tidings.Server/bin/Release/net10.0/Tidings.Server.dll"));
        Core = options.Number("server-core", 0, 0, Machine.Cores - 1).ToString(CultureInfo.InvariantCulture);
        Scratch = options.Text("scratch") ?? "/var/tmp";
        Database = options.Text("database");
    }

    /// <summary>Made for this run and known to nobody else: the server refuses secrets that look as if somebody had typed them.</summary>
    internal static string TokenSecret { get; } = NewSecret();

    internal static string AppSecret { get; } = NewSecret();

    internal const string AppKey = "bench-key";

    internal string Assembly { get; }

    internal string Core { get; }

    /// <summary>Where the data directory is made; it must be a real disk for durable posts to mean anything.</summary>
    internal string Scratch { get; }

    /// <summary>The connection string of an empty PostgreSQL database; null measures SQLite.</summary>
    internal string? Database { get; }

    private static string NewSecret() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(48));
}
