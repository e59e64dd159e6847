using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>Turns SQLite's result codes into exceptions.</summary>
internal static class SqliteFaults
{
    /// <summary>Throws unless the code means success, a row, or the end of the rows.</summary>
    public static void Check(int code, sqlite3 connection)
    {
        if (code is raw.SQLITE_OK or raw.SQLITE_ROW or raw.SQLITE_DONE) return;
        throw Of(code, connection);
    }

    /// <summary>
    /// The exception for a failure: <see cref="StoreUnavailableException"/> when the store cannot work now and later may, otherwise
    /// <see cref="SqliteException"/>, which is about the statement or its data.
    /// </summary>
    public static Exception Of(int code, sqlite3 connection)
    {
        var extended = raw.sqlite3_extended_errcode(connection);
        var error = new SqliteException($"SQLite {extended}: {raw.sqlite3_errmsg(connection).utf8_to_string()}", code, extended);
        return Unavailability(code) is { } sentence ? new StoreUnavailableException(sentence, error) : error;
    }

    /// <summary>As an exception of Microsoft.Data.Sqlite should leave the store.</summary>
    public static Exception Of(SqliteException error) =>
        Unavailability(error.SqliteErrorCode) is { } sentence ? new StoreUnavailableException(sentence, error) : error;

    private static string? Unavailability(int code) => (code & 0xFF) switch
    {
        raw.SQLITE_FULL => "The disk of the database is full.",
        raw.SQLITE_IOERR => "The database's disk does not read or write.",
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => "The database is locked by another program.",
        raw.SQLITE_CANTOPEN => "The database file cannot be opened.",
        raw.SQLITE_READONLY => "The database cannot be written to.",
        raw.SQLITE_NOMEM => "There is no memory left for the database.",
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => "The database file is damaged.",
        _ => null,
    };
}
