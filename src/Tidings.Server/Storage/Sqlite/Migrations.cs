using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>One numbered step of the schema: an embedded file such as <c>0001_event_log.sql</c>.</summary>
internal sealed record Migration(int Version, string Name, string Sql)
{
    /// <summary>Tells whether the text was changed after it had been applied. Line ends don't count.</summary>
    public string Checksum => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));
}

/// <summary>Brings a database's schema up to date, step by step, each in a transaction of its own.</summary>
internal static class Migrations
{
    private sealed record Applied(int Version, string Name, string Checksum);

    /// <summary>The steps that this build knows, in order.</summary>
    public static IReadOnlyList<Migration> Embedded { get; } = ReadEmbedded(typeof(Migrations).Assembly);

    /// <exception cref="StorageStartException">The database is of a newer build, or a step that it has was changed since.</exception>
    public static void Apply(StatementCache database, IReadOnlyList<Migration> known, TimeProvider clock)
    {
        database.Run("CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)");
        var applied = database.Get("SELECT version, name, checksum FROM schema_migrations ORDER BY version").ReadAll<Applied>();
        Judge(applied, known);

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

    private static void Judge(List<Applied> applied, IReadOnlyList<Migration> known)
    {
        for (var index = 0; index < applied.Count; index++)
        {
            var had = applied[index];
            if (index >= known.Count || known[index].Version > had.Version)
            {
                throw new StorageStartException(
                    $"The database has the schema change {had.Version} ({had.Name}), which this version of Tidings does not know. Start the version that made it, or a newer one.");
            }

            if (known[index].Version < had.Version)
            {
                throw new StorageStartException(
                    $"The schema change {known[index].Version} ({known[index].Name}) is missing in the database although a later one is there. "
                    + "Give it a number above all that were applied.");
            }

            if (known[index].Checksum != had.Checksum)
            {
                throw new StorageStartException(
                    $"The schema change {had.Version} ({had.Name}) is not what was applied to this database. Changes that have been applied are never edited: put the file back and add a new one.");
            }
        }
    }

    private static List<Migration> ReadEmbedded(Assembly assembly)
    {
        const string Folder = ".Storage.Sqlite.Migrations.";
        var found = new List<Migration>();
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            var start = resource.IndexOf(Folder, StringComparison.Ordinal);
            if (start < 0) continue;

            var file = resource[(start + Folder.Length)..];
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            found.Add(new Migration(int.Parse(file.AsSpan(0, 4), CultureInfo.InvariantCulture), Path.GetFileNameWithoutExtension(file)[5..], reader.ReadToEnd()));
        }

        found.Sort((left, right) => left.Version.CompareTo(right.Version));
        for (var index = 1; index < found.Count; index++)
            if (found[index].Version == found[index - 1].Version) throw new InvalidOperationException($"Two schema changes have the number {found[index].Version}.");
        return found;
    }
}
