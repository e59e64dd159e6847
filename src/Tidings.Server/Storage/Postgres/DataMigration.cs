using Dapper;
using Npgsql;
using NpgsqlTypes;
using Tidings.Server.Storage.Sqlite;

namespace Tidings.Server.Storage.Postgres;

/// <summary>How many rows of a table were moved.</summary>
internal sealed record MovedTable(string Table, long Rows);

/// <summary>
/// Moves a SQLite installation to an empty PostgreSQL database: all rows, in one transaction, and only if the counts agree afterwards. The
/// log there is of another generation, so positions from before are answered with <c>recovered: false</c>. The SQLite file is only read.
/// </summary>
internal static class DataMigration
{
    /// <summary>In no order that matters: there are no references between them.</summary>
    private static readonly string[] Tables =
    [
        "users", "sessions", "revocations", "posts", "post_likes", "follows", "tiers", "subscriptions", "purchases", "payments", "media",
        "connected_accounts", "creator_days", "reports", "suspensions", "audit_log", "account_removals", "blocks", "idempotency_keys",
        "targets", "attempts", "pending_counters", "pending_public_posts",
        "data_protection_keys", "comments", "notification_boxes", "notifications", "muted_notifications", "pending_like_notices",
        "conversations", "conversation_members", "messages",
        "channels", "events",
    ];

    /// <summary>
    /// What SQLite's rows don't have, or have in another meaning: places in the log. All events get the place of the move, whatever came
    /// before it belongs in no feed that is followed, and each channel goes on with its offsets.
    /// </summary>
    private static readonly Dictionary<string, string> Made = new(StringComparer.Ordinal)
    {
        ["events.xid"] = "@place",
        ["events.place"] = "@place",
        ["channels.last_place"] = "@place",
        ["channels.trimmed_place"] = "CASE WHEN trimmed_through = 0 THEN 0 ELSE @place END",
        ["follows.since_seq"] = "@place",
        ["revocations.xid"] = "@place",
    };

    /// <summary>Moves everything.</summary>
    /// <exception cref="StorageStartException">It cannot be done; the message says why. Then the database is as it was.</exception>
    public static async Task<IReadOnlyList<MovedTable>> RunAsync(
        string dataDirectory, string connectionString, TimeProvider clock, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        using var directory = new DataDirectory(dataDirectory);
        if (!directory.HasDatabase()) throw new StorageStartException($"There is no SQLite database in {directory.Path}: name its folder in Tidings:DataDirectory.");

        // This also checks the file and brings it to the schema that both databases share.
        SqliteDatabase.Close(SqliteDatabase.OpenWriter(directory, Migrations.Embedded, clock));
        using (var store = new PostgresStore(connectionString, clock, loggers))
        {
            // Only to bring the schema up to date, with everything that a start checks.
        }

        DapperMapping.Register();
        await using var source = SqliteDatabase.OpenReader(directory.Database);
        await using var target = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0 }.ToString());
        await target.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await target.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await RefuseUnlessEmptyAsync(target).ConfigureAwait(false);

        var place = await target.ExecuteScalarAsync<long>("SELECT pg_current_xact_id()::text::bigint").ConfigureAwait(false);
        await target.ExecuteAsync("DELETE FROM pending_public_posts").ConfigureAwait(false);
        var moved = new List<MovedTable>();
        foreach (var table in Tables) moved.Add(new MovedTable(table, await MoveAsync(source, target, table, place, cancellationToken).ConfigureAwait(false)));
        foreach (var (table, column) in new[] { ("channels", "id"), ("events", "seq"), ("idempotency_keys", "id") })
            await target.ExecuteAsync($"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), (SELECT coalesce(max({column}), 0) + 1 FROM {table}), false)").ConfigureAwait(false);

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return moved;
    }

    private static async Task RefuseUnlessEmptyAsync(NpgsqlConnection target)
    {
        foreach (var table in Tables.Where(table => table != "pending_public_posts"))
        {
            await target.ExecuteAsync($"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT").ConfigureAwait(false);
            if (await target.ExecuteScalarAsync<bool>($"SELECT EXISTS (SELECT 1 FROM {table})").ConfigureAwait(false))
                throw new StorageStartException($"The database in Tidings:Database is not empty (there are rows in {table}): move into a new one.");
        }
    }

    private static async Task<long> MoveAsync(CountedConnection source, NpgsqlConnection target, string table, long place, CancellationToken cancellationToken)
    {
        var columns = (await target.QueryAsync<(string Name, string Type)>(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = @table ORDER BY ordinal_position",
            new { table }).ConfigureAwait(false)).AsList();
        var selected = columns.Select(column => Made.TryGetValue($"{table}.{column.Name}", out var made) ? made : $"\"{column.Name}\"");
        var names = columns.Select(column => $"\"{column.Name}\"");

        var rows = 0L;
        await using (var read = source.CreateCommand())
        {
            read.CommandText = $"SELECT {string.Join(", ", selected)} FROM {table}{(table == "events" ? " ORDER BY seq" : "")}";
            read.Parameters.AddWithValue("@place", place);
            await using var reader = await read.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using var import = await target.BeginBinaryImportAsync($"COPY {table} ({string.Join(", ", names)}) FROM STDIN (FORMAT BINARY)", cancellationToken).ConfigureAwait(false);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                rows++;
                await import.StartRowAsync(cancellationToken).ConfigureAwait(false);
                for (var index = 0; index < columns.Count; index++)
                {
                    if (await reader.IsDBNullAsync(index, cancellationToken).ConfigureAwait(false)) await import.WriteNullAsync(cancellationToken).ConfigureAwait(false);
                    else if (columns[index].Type == "bigint") await import.WriteAsync(reader.GetInt64(index), NpgsqlDbType.Bigint, cancellationToken).ConfigureAwait(false);
                    else if (columns[index].Type == "bytea") await import.WriteAsync(reader.GetFieldValue<byte[]>(index), NpgsqlDbType.Bytea, cancellationToken).ConfigureAwait(false);
                    else await import.WriteAsync(reader.GetString(index), NpgsqlDbType.Text, cancellationToken).ConfigureAwait(false);
                }
            }

            await import.CompleteAsync(cancellationToken).ConfigureAwait(false);
        }

        var there = await target.ExecuteScalarAsync<long>($"SELECT count(*) FROM {table}").ConfigureAwait(false);
        var here = await source.ExecuteScalarAsync<long>($"SELECT count(*) FROM {table}").ConfigureAwait(false);
        return there == here && there == rows
            ? rows
            : throw new StorageStartException($"{table} has {here} rows, but {there} came over; nothing was moved.");
    }
}
