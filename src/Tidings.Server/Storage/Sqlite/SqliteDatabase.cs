using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>Opens the database file: checks it, sets what durability rests on, and brings its schema up to date.</summary>
internal static class SqliteDatabase
{
    private const int BusyMilliseconds = 5_000;

    /// <summary>Opens the one connection that writes. It is the only one that makes checkpoints.</summary>
    /// <exception cref="StorageStartException">The file is damaged, lost or of a newer version.</exception>
    public static StatementCache OpenWriter(DataDirectory directory, IReadOnlyList<Migration> migrations, TimeProvider clock)
    {
        Batteries_V2.Init();
        var existed = directory.HasDatabase();

        var database = new StatementCache(Open(directory.Database));
        try
        {
            if (existed) CheckFile(database, directory.Database);
            Require(database, "PRAGMA journal_mode = wal", "PRAGMA journal_mode", "wal");
            Require(database, "PRAGMA synchronous = FULL", "PRAGMA synchronous", "2");
            Require(database, "PRAGMA foreign_keys = ON", "PRAGMA foreign_keys", "1");
            database.Run("PRAGMA journal_size_limit = 67108864");   // a log that grew under a long reader shrinks again
            database.Run("PRAGMA wal_autocheckpoint = 4000");       // 16 MB: at the usual 1,000 pages, pages under load are written home over and over
            database.Run("PRAGMA cache_size = -32768");
            database.Run("PRAGMA temp_store = MEMORY");             // a full disk must not hit the units' own bookkeeping
            database.Run("PRAGMA cell_size_check = ON");            // finds damaged pages where they are read
            Migrations.Apply(database, migrations, clock);
            return database;
        }
        catch (Exception error)
        {
            Close(database);
            throw error is StorageStartException ? error : Damaged(directory.Database, error.InnerException?.Message ?? error.Message, error);
        }
    }

    /// <summary>Opens a connection that reads. It never writes to the file and never makes a checkpoint.</summary>
    public static CountedConnection OpenReader(string file)
    {
        var connection = new CountedConnection(new SqliteConnectionStringBuilder
        {
            DataSource = file,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
            DefaultTimeout = BusyMilliseconds / 1000,
        }.ToString());
        try
        {
            connection.Open();
            var handle = connection.Handle!;
            raw.sqlite3_busy_timeout(handle, BusyMilliseconds);
            SqliteFaults.Check(raw.sqlite3_exec(handle, "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON; PRAGMA cache_size = -8192"), handle);
            return connection;
        }
        catch (SqliteException error)
        {
            connection.Dispose();
            throw SqliteFaults.Of(error);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Reads the whole file and its indexes. Null if all is well, otherwise what is wrong.</summary>
    public static string? CheckIntegrity(string file)
    {
        using var connection = OpenReader(file);
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check(10)";
        var problems = new List<string>();
        try
        {
            using var rows = command.ExecuteReader();
            while (rows.Read()) problems.Add(rows.GetString(0));
        }
        catch (SqliteException error) when (error.SqliteErrorCode is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB)
        {
            problems.Add(error.Message);
        }

        return problems is ["ok"] ? null : string.Join("; ", problems);
    }

    /// <summary>Brings the whole write-ahead log into the file and empties it, unless a reader still needs it. Does not wait.</summary>
    public static bool TryTruncateWriteAheadLog(StatementCache writer)
    {
        raw.sqlite3_busy_timeout(writer.Connection, 0);
        var code = raw.sqlite3_wal_checkpoint_v2(writer.Connection, null, raw.SQLITE_CHECKPOINT_TRUNCATE, out _, out _);
        raw.sqlite3_busy_timeout(writer.Connection, BusyMilliseconds);
        return code == raw.SQLITE_OK;
    }

    public static void Close(StatementCache database)
    {
        database.Dispose();
        raw.sqlite3_close_v2(database.Connection);
        database.Connection.Dispose();
    }

    private static sqlite3 Open(string file)
    {
        var code = raw.sqlite3_open_v2(file, out var connection, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE | raw.SQLITE_OPEN_NOMUTEX, null);
        if (code != raw.SQLITE_OK) throw new StorageStartException($"The database file {file} cannot be opened (SQLite {code}). Is the folder writable?");
        raw.sqlite3_busy_timeout(connection, BusyMilliseconds);
        return connection;
    }

    private static void CheckFile(StatementCache database, string file)
    {
        var problems = database.Get("PRAGMA quick_check(5)").ReadAll<string>();
        if (problems is not ["ok"]) throw Damaged(file, string.Join("; ", problems), null);
    }

    private static void Require(StatementCache database, string set, string ask, string expected)
    {
        database.Run(set);
        var actual = database.Get(ask).ReadSingle<string>();
        if (!string.Equals(actual, expected, StringComparison.OrdinalIgnoreCase))
            throw new StorageStartException($"SQLite answers {ask} with '{actual}' where '{expected}' is needed. The file system of the data directory may not support it: use a local disk.");
    }

    private static StorageStartException Damaged(string file, string what, Exception? error) => new(
        $"The database file {file} is damaged ({what}). It was not changed. Put it back from a backup, or save what can be read with: sqlite3 '{file}' .recover", error);
}
