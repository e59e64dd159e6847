using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using Dapper;
using Npgsql;

namespace Tidings.Server.Storage.Postgres;

/// <summary>Looks at the database at start: whether it can be used, whether it keeps what it acknowledges, and its schema.</summary>
internal static partial class PostgresDatabase
{
    private const int OldestVersion = 140_000;

    /// <summary>Held by the node that changes the schema, so that nodes which start together do it once.</summary>
    private const long MigrationLock = 0x7469_6469_6E67_73;

    private static readonly TimeSpan MostClockDifference = TimeSpan.FromSeconds(60);

    /// <summary>The steps of the schema that this build knows, in order.</summary>
    public static IReadOnlyList<Migration> Migrations { get; } = SchemaHistory.Embedded("Postgres");

    /// <summary>Checks the database and brings its schema up to date.</summary>
    /// <returns>The generation of the log that holds from here on.</returns>
    /// <exception cref="StorageStartException">It cannot be used; the message says what to do.</exception>
    public static uint Open(PostgresConnection settings, NpgsqlDataSource writers, IReadOnlyList<Migration> migrations, TimeProvider clock, ILogger logger)
    {
        try
        {
            using var connection = writers.OpenConnection();
            Check(connection, settings, clock, logger);
            return Prepare(connection, migrations, clock, logger);
        }
        catch (Exception error) when (SentenceOf(error, settings) is { } sentence)
        {
            throw new StorageStartException(sentence, error);
        }
    }

    private static void Check(NpgsqlConnection connection, PostgresConnection settings, TimeProvider clock, ILogger logger)
    {
        var server = connection.QuerySingle<Server>(
            """
            SELECT current_setting('server_version_num')::bigint AS Version, current_setting('server_version') AS VersionText,
                   current_setting('server_encoding') AS Encoding, pg_is_in_recovery() AS IsStandby, current_setting('fsync') AS Fsync,
                   current_setting('synchronous_commit') AS SynchronousCommit, current_setting('full_page_writes') AS FullPageWrites,
                   (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS Now
            """);

        if (server.Version < OldestVersion)
            throw new StorageStartException($"The PostgreSQL at {settings.Name} is {server.VersionText}; Tidings needs 14 or newer.");
        if (server.IsStandby)
            throw new StorageStartException($"The PostgreSQL at {settings.Name} is a standby, which takes no writes. Name the primary in Tidings:Database.");
        if (server.Encoding != "UTF8")
            throw new StorageStartException($"The database {settings.Name} is in {server.Encoding}; Tidings needs one in UTF8: createdb --encoding=UTF8 --template=template0.");

        if (server.Fsync == "off") Log.MayLose(logger, settings.Name, "fsync");
        if (server.FullPageWrites == "off") Log.MayLose(logger, settings.Name, "full_page_writes");
        if (server.SynchronousCommit == "off") Log.MayLose(logger, settings.Name, "synchronous_commit");

        var difference = DateTimeOffset.FromUnixTimeMilliseconds(server.Now) - clock.GetUtcNow();
        if (difference.Duration() > MostClockDifference) Log.OtherTime(logger, settings.Name, difference);
    }

    private static uint Prepare(NpgsqlConnection connection, IReadOnlyList<Migration> known, TimeProvider clock, ILogger logger)
    {
        using var transaction = connection.BeginTransaction();
        connection.Execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0", transaction: transaction);
        connection.Execute("SELECT pg_advisory_xact_lock(@MigrationLock)", new { MigrationLock }, transaction, commandTimeout: 60);
        connection.Execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version bigint PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at bigint NOT NULL)
            """,
            transaction: transaction);

        var applied = connection.Query<AppliedMigration>("SELECT version::int, name, checksum FROM schema_migrations ORDER BY version", transaction: transaction).AsList();
        SchemaHistory.Judge(applied, known);
        foreach (var step in known.Skip(applied.Count)) Apply(connection, transaction, step, clock);

        var generation = SettleGeneration(connection, transaction, logger);
        transaction.Commit();
        return generation;
    }

    private static void Apply(NpgsqlConnection connection, NpgsqlTransaction transaction, Migration step, TimeProvider clock)
    {
        try
        {
            connection.Execute(step.Sql, transaction: transaction, commandTimeout: 0);
            connection.Execute(
                "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (@Version, @Name, @Checksum, @Now)",
                new { step.Version, step.Name, step.Checksum, Now = clock.GetUtcNow() },
                transaction);
        }
        catch (PostgresException error) when (error.SqlState != PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new StorageStartException($"The database could not be brought to version {step.Version} ({step.Name}); it was left as it was. {error.MessageText}", error);
        }
    }

    /// <summary>
    /// Begins a new generation if the log is not the one that gave out the latest positions: another server, another life of it after a
    /// failover or a recovery to a point in time, or tables that were put back from a dump.
    /// </summary>
    private static uint SettleGeneration(NpgsqlConnection connection, NpgsqlTransaction transaction, ILogger logger)
    {
        var was = connection.Query<(string Key, long Value)>("SELECT key, value FROM meta", transaction: transaction).ToDictionary(pair => pair.Key, pair => pair.Value);
        var (system, timeline, table) = IdentityOf(connection, transaction);
        if (was["log_generation"] != 0 && was["system_identifier"] == system && was["timeline"] == timeline && was["log_table"] == table)
            return (uint)was["log_generation"];

        uint next;
        do next = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
        while (next == 0 || next == was["log_generation"]);

        connection.Execute(
            """
            UPDATE meta SET value = CASE key WHEN 'log_generation' THEN @Generation WHEN 'system_identifier' THEN @System WHEN 'timeline' THEN @Timeline
                                             WHEN 'log_table' THEN @Table ELSE value END
            """,
            new { Generation = (long)next, System = system, Timeline = timeline, Table = table },
            transaction);
        if (was["system_identifier"] != 0) Log.Begun(logger, next.ToString(CultureInfo.InvariantCulture));
        return next;
    }

    /// <summary>What is not the same any more when the log is another one, though it may look the same.</summary>
    public static (long System, long Timeline, long Table) IdentityOf(NpgsqlConnection connection, NpgsqlTransaction? transaction = null)
    {
        var system = connection.ExecuteScalar<long>("SELECT system_identifier FROM pg_control_system()", transaction: transaction);
        var file = connection.ExecuteScalar<string>("SELECT pg_walfile_name(pg_current_wal_lsn())", transaction: transaction)!;
        var table = connection.ExecuteScalar<long>("SELECT 'events'::regclass::oid::bigint", transaction: transaction);
        return (system, long.Parse(file.AsSpan(0, 8), NumberStyles.HexNumber, CultureInfo.InvariantCulture), table);
    }

    private static string? SentenceOf(Exception error, PostgresConnection settings) => error switch
    {
        StorageStartException => null,
        PostgresException { SqlState: "28P01" or "28000" } refused =>
            $"The PostgreSQL at {settings.Name} does not let {settings.User} in ({refused.MessageText}). Check the user and the password in Tidings:Database.",
        PostgresException { SqlState: "3D000" } =>
            $"There is no database {settings.Name}. Make it first: createdb --encoding=UTF8 --template=template0 with the name in Tidings:Database.",
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } refused =>
            $"{settings.User} may not do what Tidings needs in {settings.Name}: {refused.MessageText}. Make {settings.User} the owner of the database, or grant CREATE on its schema.",
        PostgresException postgres => $"The database {settings.Name} cannot be used: {postgres.MessageText}.",
        NpgsqlException { InnerException: TimeoutException } or TimeoutException =>
            $"The PostgreSQL at {settings.Name} does not answer. Check Host and Port in Tidings:Database, and whether the server runs.",
        NpgsqlException { InnerException: SocketException socket } =>
            $"The PostgreSQL at {settings.Name} cannot be reached ({socket.Message}). Check Host and Port in Tidings:Database, and whether the server runs.",
        NpgsqlException or SocketException or IOException => $"The PostgreSQL at {settings.Name} cannot be used: {error.Message}",
        _ => null,
    };

    private sealed class Server
    {
        public long Version { get; init; }

        public string VersionText { get; init; } = "";

        public string Encoding { get; init; } = "";

        public bool IsStandby { get; init; }

        public string Fsync { get; init; } = "";

        public string SynchronousCommit { get; init; } = "";

        public string FullPageWrites { get; init; } = "";

        public long Now { get; init; }
    }

    private static partial class Log
    {
        [LoggerMessage(2501, LogLevel.Warning, "The PostgreSQL at {Name} has {Setting} switched off: it may lose what it has acknowledged. Set {Setting} = on.")]
        public static partial void MayLose(ILogger logger, string name, string setting);

        [LoggerMessage(2502, LogLevel.Warning, "The clock of the PostgreSQL at {Name} differs by {Difference} from this machine's. Synchronise both.")]
        public static partial void OtherTime(ILogger logger, string name, TimeSpan difference);

        [LoggerMessage(2503, LogLevel.Warning, "The database was put back or has failed over: the log begins generation {Generation}, and clients refetch instead of resuming.")]
        public static partial void Begun(ILogger logger, string generation);
    }
}
