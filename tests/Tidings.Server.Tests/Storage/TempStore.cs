using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Sqlite;

namespace Tidings.Server.Tests.Storage;

/// <summary>A SQLite store in a folder of its own, which goes with it; it can be closed and opened again.</summary>
internal sealed class TempStore : IDisposable
{
    private const string Things = """
        CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT, body BLOB);
        CREATE TABLE values_of_all (text_of TEXT, whole INTEGER, flag INTEGER, body BLOB, made_at INTEGER, absent TEXT);
        CREATE TABLE parents (id INTEGER PRIMARY KEY);
        CREATE TABLE children (parent_id INTEGER NOT NULL REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
        """;

    private readonly SqliteStoreOptions _options;
    private readonly ChannelCatalog _catalog;
    private readonly bool _ownsFolder;

    public TempStore(string? folder = null, SqliteStoreOptions? options = null, ILoggerFactory? loggers = null, FakeClock? clock = null, ChannelCatalog? catalog = null)
    {
        _ownsFolder = folder is null;
        Folder = folder ?? Directory.CreateTempSubdirectory("tidings-").FullName;
        Loggers = loggers ?? NullLoggerFactory.Instance;
        KnownMigrations = [.. Migrations.Embedded, new Migration(9000, "things", Things)];
        _options = (options ?? new SqliteStoreOptions()) with { Migrations = KnownMigrations };
        Clock = clock ?? new FakeClock();
        _catalog = catalog ?? Catalog;
        Reopen();
    }

    public IReadOnlyList<Migration> KnownMigrations { get; }

    public string Folder { get; }

    public string File => Path.Combine(Folder, "tidings.db");

    public FakeClock Clock { get; }

    public ILoggerFactory Loggers { get; }

    public SqliteStore Store { get; private set; } = null!;

    public static ChannelCatalog Catalog { get; } = new(
    [
        new("creator", new ChannelRules { Durable = true, History = 1_000 }),
        new("post", new ChannelRules { Durable = true, History = 5, HistoryAge = TimeSpan.FromHours(1) }),
        new("feed", new ChannelRules { Durable = true, History = 1_000, IsFeed = true }),
    ]);

    public SqliteEventLog Log { get; private set; } = null!;

    public void Reopen()
    {
        Store?.Dispose();
        Store = new SqliteStore(Folder, Clock, Loggers, _options);
        Log = new SqliteEventLog(Store, new LogTrimming(Store, _catalog, Clock));
    }

    public PublicationDraft Draft(string channel, string id = "1", string payload = "{\"n\":1}")
    {
        var parts = channel.Split(':');
        return new PublicationDraft
        {
            Channel = new ChannelName(parts[0], parts[1]),
            Type = "thing",
            Id = id,
            Timestamp = Clock.GetUtcNow(),
            Payload = System.Text.Encoding.UTF8.GetBytes(payload),
        };
    }

    public Task<Publication> AppendAsync(string channel, string id = "1") => AppendAsync(Draft(channel, id));

    public async Task<Publication> AppendAsync(PublicationDraft draft) => (await Log.AppendAsync([draft], CancellationToken.None))[0];

    /// <summary>Asks the file itself, on a connection that is not the store's.</summary>
    public T Ask<T>(string sql)
    {
        using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (T)Convert.ChangeType(command.ExecuteScalar() ?? 0L, typeof(T), System.Globalization.CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        Store?.Dispose();
        if (_ownsFolder) Directory.Delete(Folder, recursive: true);
    }
}
