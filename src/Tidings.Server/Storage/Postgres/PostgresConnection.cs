using Npgsql;

namespace Tidings.Server.Storage.Postgres;

/// <summary>How the server connects: what the operator wrote, and deadlines that are short enough for a request to wait for.</summary>
internal sealed class PostgresConnection
{
    /// <summary>How long connecting may take.</summary>
    private const int ConnectSeconds = 3;

    /// <summary>How long a statement may take.</summary>
    private const int CommandSeconds = 4;

    /// <summary>How long a server that does not answer may take to say that it has given up a statement.</summary>
    private const int CancellationMilliseconds = 500;

    private const int DefaultWriters = 16;

    private readonly string _text;

    public PostgresConnection(string text)
    {
        _text = text;
        var given = new NpgsqlConnectionStringBuilder(text);
        Name = $"{given.Host}:{given.Port}/{given.Database ?? given.Username}";
        User = given.Username ?? Environment.UserName;
        MostWriters = given.ShouldSerialize("Maximum Pool Size") ? given.MaxPoolSize : DefaultWriters;
    }

    /// <summary>The server and the database, for sentences: nothing secret.</summary>
    public string Name { get; }

    /// <summary>Who the server signs in as.</summary>
    public string User { get; }

    /// <summary>How many write at the same time: <c>Maximum Pool Size</c>, 16 if it is not given.</summary>
    public int MostWriters { get; }

    /// <summary>What is wrong with a connection string, as the end of a sentence; null if nothing is. Shows nothing of it but names of settings.</summary>
    public static string? ProblemOf(string text)
    {
        try
        {
            var given = new NpgsqlConnectionStringBuilder(text);
            if (string.IsNullOrWhiteSpace(given.Host)) return "names no server: write Host=db.example.com;Database=tidings;Username=tidings;Password=…";
            if (!given.Pooling) return "switches the pool of connections off: leave out Pooling.";
            return given.Multiplexing ? "switches multiplexing on, in which there are no transactions: leave out Multiplexing." : null;
        }
        catch (Exception error) when (error is ArgumentException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            return "is not a connection string of PostgreSQL: write Host=db.example.com;Database=tidings;Username=tidings;Password=…";
        }
    }

    /// <summary>The connections that write.</summary>
    public NpgsqlDataSource ForWriters() => Build("tidings writer", MostWriters, "-c lock_timeout=4s -c idle_in_transaction_session_timeout=15s");

    /// <summary>The connections that read. They cannot write.</summary>
    public NpgsqlDataSource ForReaders(int most) =>
        Build("tidings reader", most, "-c default_transaction_read_only=on -c idle_in_transaction_session_timeout=60s");

    private NpgsqlDataSource Build(string name, int most, string options)
    {
        var settings = new NpgsqlConnectionStringBuilder(_text)
        {
            MaxPoolSize = most,
            MaxAutoPrepare = 200,
            AutoPrepareMinUsages = 2,
            CancellationTimeout = CancellationMilliseconds,
            IncludeErrorDetail = false,
            NoResetOnClose = true, // nothing here changes its session; six statements less for each unit
        };
        settings.MinPoolSize = Math.Min(settings.MinPoolSize, most);
        if (!settings.ShouldSerialize("Timeout")) settings.Timeout = ConnectSeconds;
        if (!settings.ShouldSerialize("Command Timeout")) settings.CommandTimeout = CommandSeconds;
        if (!settings.ShouldSerialize("Application Name")) settings.ApplicationName = name;
        if (!settings.ShouldSerialize("Keepalive")) settings.TcpKeepAlive = true;
        settings.Options = string.IsNullOrEmpty(settings.Options) ? options : $"{settings.Options} {options}";
        return new NpgsqlDataSourceBuilder(settings.ToString()).Build();
    }
}
