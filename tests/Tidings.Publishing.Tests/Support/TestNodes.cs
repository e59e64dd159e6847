using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;
using Tidings.Testing.Servers;

namespace Tidings.Publishing.Tests.Support;

/// <summary>Where the tests' servers keep what they have.</summary>
public enum Database
{
    Sqlite,
    Postgres,
}

/// <summary>
/// Servers on one database, which publish to doubles on this machine. What they hold can be read, and changed while they are down, past them.
/// </summary>
public sealed class TestNodes : IAsyncDisposable
{
    private readonly List<ServerProcess> _servers = [];
    private readonly string? _postgres;

    private TestNodes(string? postgres) => _postgres = postgres;

    /// <summary>How long a node has what it claimed.</summary>
    public static TimeSpan Lease { get; } = TimeSpan.FromSeconds(4);

    public ServerProcess First => _servers[0];

    public ServerProcess Second => _servers[1];

    public IReadOnlyList<ServerProcess> All => _servers;

    /// <summary>Starts servers; several need PostgreSQL.</summary>
    public static async Task<TestNodes> StartAsync(
        Database database = Database.Sqlite, int count = 1, Action<Dictionary<string, string>>? configure = null, Dictionary<string, string>? variables = null)
    {
        var nodes = new TestNodes(database == Database.Postgres ? await (await PostgresServer.SharedAsync()).CreateDatabaseAsync() : null);
        var settings = new Dictionary<string, string>
        {
            ["Publishing:AllowPrivateNetworks"] = "true",
            ["Publishing:Lease"] = Lease.ToString("c"),
            ["CronSecret"] = "n7Vb2kQ9sX4cR8tY1uI5oA3pLmZ6wE0j",
        };
        if (nodes._postgres is { } connection)
        {
            settings["Database"] = connection;
            settings["App:Key"] = "tests";
            settings["EncryptionKeys"] = "k3J9xQ0pLmN2bV7cX8zW4sR6tY1uI5oA";
            settings["Auth:Secret"] = "a5T8mK2pQ7vN4xR1zB6cD9eF3gH0jL8s";
            settings["App:Secret"] = "s8L0jH3gF9eD6cB1zR4xN7vQ2pK5mT8a";
        }

        configure?.Invoke(settings);
        try
        {
            for (var index = 0; index < count; index++)
            {
                var server = ServerProcess.Create(new ServerSettings { Settings = settings, Variables = variables ?? [] });
                nodes._servers.Add(server);
                await server.StartAgainAsync();
            }

            return nodes;
        }
        catch
        {
            await nodes.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a statement past the servers. With SQLite only changes while the server is down are safe.</summary>
    public async Task<int> ExecuteAsync(string sql, object? parameters = null)
    {
        await using var connection = await OpenAsync();
        return await connection.ExecuteAsync(sql, parameters);
    }

    /// <summary>
    /// Lets everything that waits be due at the same time, so long from now. However slow the machine is, a test schedules as much as it likes first. With
    /// SQLite the server is stopped for it.
    /// </summary>
    /// <returns>The time.</returns>
    public async Task<DateTimeOffset> MakeDueAsync(TimeSpan ahead)
    {
        if (_postgres is null) await First.KillAsync();
        var due = TimeProvider.System.GetUtcNow() + ahead;
        var times = new { due = due.ToUnixTimeMilliseconds(), grace = 3_600_000L, end = 7_200_000L };
        await ExecuteAsync("UPDATE targets SET due_at = @due, next_at = @due, miss_at = @due + @grace, give_up_at = @due + @end WHERE state = 'pending'", times);
        if (_postgres is null) await First.StartAgainAsync();
        return due;
    }

    /// <summary>Reads past the servers.</summary>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null)
    {
        await using var connection = await OpenAsync();
        return (await connection.QueryAsync<T>(sql, parameters)).AsList();
    }

    /// <summary>Reads one figure past the servers.</summary>
    public async Task<long> CountAsync(string sql, object? parameters = null) => (await QueryAsync<long>(sql, parameters))[0];

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
    }

    private async Task<DbConnection> OpenAsync()
    {
        DbConnection connection = _postgres is { } postgres
            ? new NpgsqlConnection($"{postgres};Pooling=false")
            : new SqliteConnection($"Data Source={First.DatabaseFile};Pooling=False;Mode=ReadWrite;Default Timeout=10");
        await connection.OpenAsync();
        return connection;
    }
}
