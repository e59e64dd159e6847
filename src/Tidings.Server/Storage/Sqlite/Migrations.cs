namespace Tidings.Server.Storage.Sqlite;

/// <summary>Brings a database's schema up to date, step by step, each in a transaction of its own.</summary>
internal static class Migrations
{
    /// <summary>The steps that this build knows, in order.</summary>
    public static IReadOnlyList<Migration> Embedded { get; } = SchemaHistory.Embedded("Sqlite");

    /// <exception cref="StorageStartException">The database is of a newer build, or a step that it has was changed since.</exception>
    public static void Apply(StatementCache database, IReadOnlyList<Migration> known, TimeProvider clock)
    {
        database.Run("CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)");
        var applied = database.Get("SELECT version, name, checksum FROM schema_migrations ORDER BY version").ReadAll<AppliedMigration>();
        SchemaHistory.Judge(applied, known);

        foreach (var step in known.Skip(applied.Count))
        {
            database.Run("BEGIN IMMEDIATE");
            try
            {
                SqliteFaults.Check(SQLitePCL.raw.sqlite3_exec(database.Connection, step.Sql), database.Connection);
                database.Get("INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)")
                    .Bind(1, (long)step.Version).Bind(2, step.Name).Bind(3, step.Checksum).Bind(4, clock.GetUtcNow().ToUnixTimeMilliseconds()).Run();
                database.Run("COMMIT");
            }
            catch (Exception error)
            {
                if (!database.IsInAutocommit) database.Run("ROLLBACK");
                throw new StorageStartException($"The database could not be brought to version {step.Version} ({step.Name}); it was left as it was. {error.Message}", error);
            }
        }
    }
}
