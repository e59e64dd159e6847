using Tidings.Realtime.History;
using Tidings.Server.Storage.Postgres;
using Tidings.Server.Storage.Sqlite;

namespace Tidings.Server.Storage;

/// <summary>Registers the store and the event log.</summary>
internal static class StorageSetup
{
    /// <summary>
    /// SQLite in a folder, or a PostgreSQL database. It is opened when the host starts its hosted services, or when the store is first asked
    /// for. A <see cref="Tidings.Realtime.Channels.ChannelCatalog"/> and a <see cref="TimeProvider"/> must be registered too, and somebody has
    /// to call <see cref="Store.DeliverTo"/>: until then events wait in the log. PostgreSQL also needs the engine and what was revoked.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="dataDirectory">The folder of the SQLite file.</param>
    /// <param name="database">The connection string of PostgreSQL; null for SQLite.</param>
    public static IServiceCollection AddStorage(this IServiceCollection services, string dataDirectory, string? database = null) =>
        database is null ? services.AddSqlite(dataDirectory) : services.AddPostgres(database);

    private static IServiceCollection AddSqlite(this IServiceCollection services, string dataDirectory) => services
        .AddSingleton(provider => new SqliteStore(dataDirectory, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILoggerFactory>()))
        .AddSingleton<Store>(provider => provider.GetRequiredService<SqliteStore>())
        .AddSingleton<LogTrimming>()
        .AddSingleton<IDurableEventLog, SqliteEventLog>()
        .AddHostedService<EventSweep>()
        .AddHostedService<LogMaintenance>();

    private static IServiceCollection AddPostgres(this IServiceCollection services, string database) => services
        .AddSingleton(provider => new PostgresStore(database, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILoggerFactory>()))
        .AddSingleton<Store>(provider => provider.GetRequiredService<PostgresStore>())
        .AddSingleton<PostgresTrimming>()
        .AddSingleton<IDurableEventLog, PostgresEventLog>()
        .AddSingleton<PostgresUpkeep>()
        .AddHostedService(provider => provider.GetRequiredService<PostgresUpkeep>());
}
