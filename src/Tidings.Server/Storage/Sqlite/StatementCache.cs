using SQLitePCL;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>The prepared statements of one connection, by their text. Belongs to one thread at a time.</summary>
internal sealed class StatementCache(sqlite3 connection) : IDisposable
{
    private const int MostStatements = 512;

    private readonly Dictionary<string, Statement> _statements = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Statement> _forUnits = new(StringComparer.Ordinal);

    public sqlite3 Connection { get; } = connection;

    /// <summary>Whether no transaction is open: SQLite has ended it by itself if one was begun.</summary>
    public bool IsInAutocommit => raw.sqlite3_get_autocommit(Connection) != 0;

    /// <summary>How many statements have been asked for to be run.</summary>
    public long Uses { get; private set; }

    public Statement Get(string sql)
    {
        Uses++;
        if (_statements.TryGetValue(sql, out var known)) return known;
        var made = new Statement(Connection, sql);
        _statements.Add(sql, made);
        return made;
    }

    /// <summary>A statement that only reads or changes rows. Transactions, pragmas and the schema are refused before SQLite sees them.</summary>
    public Statement GetForUnit(string sql)
    {
        if (_forUnits.TryGetValue(sql, out var known))
        {
            Uses++;
            return known;
        }

        if (SqlText.FirstWord(sql) is not ("SELECT" or "INSERT" or "UPDATE" or "DELETE" or "WITH" or "REPLACE" or "VALUES"))
            throw new InvalidOperationException($"A unit only selects, inserts, updates and deletes; its transaction is the store's: {sql}");

        var made = Get(sql);
        _forUnits.Add(sql, made);
        return made;
    }

    public int Run(string sql) => Get(sql).Run();

    /// <summary>Gives up all statements when there are too many. To be called while none is in use.</summary>
    public void Trim()
    {
        if (_statements.Count > MostStatements) Clear();
    }

    public void Dispose() => Clear();

    private void Clear()
    {
        foreach (var statement in _statements.Values) statement.Dispose();
        _statements.Clear();
        _forUnits.Clear();
    }
}
