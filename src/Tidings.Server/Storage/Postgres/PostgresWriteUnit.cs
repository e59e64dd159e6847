using Dapper;
using Npgsql;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Postgres;

/// <summary>What a unit does in its transaction, which begins together with its first statement.</summary>
internal sealed class PostgresWriteUnit(NpgsqlConnection connection) : IWriteUnit
{
    private readonly List<NpgsqlBatchCommand> _enqueued = [];
    private bool _hasBegun;
    private bool _hasEnded;

    /// <summary>What the unit wants to have appended, in its own order.</summary>
    public List<PublicationDraft>? Drafts { get; private set; }

    /// <summary>How many statements it has run.</summary>
    public int Statements { get; private set; }

    /// <summary>Whether its commit has been sent, so that nobody can know what became of it if the connection is lost.</summary>
    public bool IsCommitting { get; private set; }

    /// <summary>What failed first: the transaction is lost with it, even if the unit caught that.</summary>
    public Exception? Fault { get; private set; }

    public async ValueTask<int> ExecuteAsync(string sql, object? parameters = null)
    {
        await using var batch = Batch(sql, parameters);
        try
        {
            await batch.ExecuteNonQueryAsync().ConfigureAwait(false);
            return (int)batch.BatchCommands[^1].RecordsAffected;
        }
        catch (Exception error)
        {
            Fault ??= error;
            throw;
        }
    }

    public async ValueTask<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters = null) =>
        (await QueryAsync<T>(sql, parameters).ConfigureAwait(false)) is [var first, ..] ? first : default;

    public async ValueTask<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null)
    {
        await using var batch = Batch(sql, parameters);
        try
        {
            await using var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
            if (reader.FieldCount == 0) return [];

            var parse = reader.GetRowParser(typeof(T));
            var rows = new List<T>();
            while (await reader.ReadAsync().ConfigureAwait(false)) rows.Add((T)parse(reader));
            return rows;
        }
        catch (Exception error)
        {
            Fault ??= error;
            throw;
        }
    }

    public void Enqueue(string sql, object? parameters = null)
    {
        RefuseStrangers();
        _enqueued.Add(PostgresStatement.Of(sql).With(parameters));
    }

    public void Append(PublicationDraft draft)
    {
        ArgumentNullException.ThrowIfNull(draft);
        RefuseStrangers();
        if (draft.Payload.IsEmpty) throw new ArgumentException("A publication's payload is JSON text, not nothing.", nameof(draft));
        (Drafts ??= []).Add(draft);
    }

    /// <summary>From here on everything is refused.</summary>
    public void End() => _hasEnded = true;

    /// <summary>Appends and commits, in one exchange with the server.</summary>
    /// <returns>The publications, in the order of the log.</returns>
    public async Task<IReadOnlyList<Publication>> CommitAsync(LogPositions positions)
    {
        await using var batch = new NpgsqlBatch(connection);
        BeginIn(batch);
        foreach (var enqueued in _enqueued) batch.BatchCommands.Add(enqueued);
        var append = Drafts is null ? null : new PostgresAppend(Drafts, positions);
        if (append is not null) batch.BatchCommands.Add(append.Command);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("COMMIT"));
        Statements += batch.BatchCommands.Count;

        IsCommitting = true;
        CrashPoints.Reached("before-commit");
        await using var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
        if (append is not null) await append.ReadAsync(reader).ConfigureAwait(false);
        while (await reader.NextResultAsync().ConfigureAwait(false))
        {
        }

        CrashPoints.Reached("after-commit");
        return append?.Publications ?? [];
    }

    /// <summary>Leaves nothing behind, if there is anything and a connection to say so.</summary>
    public async Task RollBackAsync()
    {
        if (!_hasBegun || connection.FullState != System.Data.ConnectionState.Open) return;
        try
        {
            await using var command = new NpgsqlCommand("ROLLBACK", connection);
            await command.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is NpgsqlException or IOException or InvalidOperationException)
        {
            // Then the connection is gone, and the transaction with it.
        }
    }

    private NpgsqlBatch Batch(string sql, object? parameters)
    {
        RefuseStrangers();
        var command = PostgresStatement.Of(sql).With(parameters);
        var batch = new NpgsqlBatch(connection);
        BeginIn(batch);
        foreach (var enqueued in _enqueued) batch.BatchCommands.Add(enqueued);
        _enqueued.Clear();
        batch.BatchCommands.Add(command);
        Statements += batch.BatchCommands.Count;
        return batch;
    }

    private void BeginIn(NpgsqlBatch batch)
    {
        if (!_hasBegun) batch.BatchCommands.Add(new NpgsqlBatchCommand("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"));
        _hasBegun = true;
    }

    private void RefuseStrangers()
    {
        if (_hasEnded) throw new InvalidOperationException("This unit has ended: it kept the write for later.");
        if (Fault is { } fault) throw new InvalidOperationException("A statement of this unit has failed, and its transaction is lost with it.", fault);
    }
}
