using Tidings.Realtime.History;
using Tidings.Server.Storage.Sqlite;

namespace Tidings.Server.Storage;

/// <summary>Registers the store and the event log.</summary>
internal static class StorageSetup
{
    /// <summary>
    /// SQLite in a folder. The folder is opened when the host starts its hosted services, or when the store is first asked for. A
    /// <see cref="Tidings.Realtime.Channels.ChannelCatalog"/> and a <see cref="TimeProvider"/> must be registered too, and somebody has to call
    /// <see cref="CommitCarrier.DeliverTo"/> of <see cref="SqliteStore.Carrier"/>: until then events wait in the log.
    /// </summary>
    public static IServiceCollection AddStorage(this IServiceCollection services, string dataDirectory) => services
        .AddSingleton(provider => new SqliteStore(dataDirectory, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILoggerFactory>()))
        .AddSingleton<Store>(provider => provider.GetRequiredService<SqliteStore>())
        .AddSingleton<LogTrimming>()
        .AddSingleton<IDurableEventLog, SqliteEventLog>()
        .AddHostedService<EventSweep>()
        .AddHostedService<LogMaintenance>();
}
