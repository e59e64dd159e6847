using Dapper;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tidings.Realtime.Channels;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Postgres;

namespace Tidings.Server.Tests.Storage;

/// <summary>A PostgreSQL store on a database; it can be closed and opened again.</summary>
internal sealed class TempPostgres : IDisposable
{
    private const string Things = """
        CREATE TABLE things (id bigint PRIMARY KEY, name text, body bytea);
        CREATE TABLE values_of_all (text_of text, whole bigint, flag bigint, body bytea, made_at bigint, absent text);
        """;

    private readonly TimeProvider _clock;
    private readonly ILoggerFactory _loggers;
    private readonly ChannelCatalog _catalog;
    private PostgresTrimming? _trimming;

    public TempPostgres(string connectionString, TimeProvider? clock = null, ChannelCatalog? catalog = null, ILoggerFactory? loggers = null)
    {
        ConnectionString = connectionString;
        _clock = clock ?? TimeProvider.System;
        _catalog = catalog ?? TempStore.Catalog;
        _loggers = loggers ?? NullLoggerFactory.Instance;
        Reopen();
    }

    public static IReadOnlyList<Migration> KnownMigrations { get; } = [.. PostgresDatabase.Migrations, new Migration(9000, "things", Things)];

    public string ConnectionString { get; }

    public PostgresStore Store { get; private set; } = null!;

    public PostgresEventLog Log { get; private set; } = null!;

    /// <summary>A store on a new database of the shared server.</summary>
    public static async Task<TempPostgres> NewAsync(TimeProvider? clock = null, ChannelCatalog? catalog = null, ILoggerFactory? loggers = null) =>
        new(await TestDatabase.NewPostgresAsync(), clock, catalog, loggers);

    public void Reopen()
    {
        Store?.Dispose();
        _trimming?.Dispose();
        Store = new PostgresStore(ConnectionString, _clock, _loggers, KnownMigrations);
        _trimming = new PostgresTrimming(Store, _catalog, _clock);
        Log = new PostgresEventLog(Store, _trimming);
    }

    /// <summary>A connection that is not the store's.</summary>
    public async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Asks the database itself.</summary>
    public async Task<long> AskAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        return await connection.ExecuteScalarAsync<long>(sql);
    }

    public void Dispose()
    {
        Store.Dispose();
        _trimming?.Dispose();
    }
}
