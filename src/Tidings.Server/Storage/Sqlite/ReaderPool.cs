using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>One read-only connection, for Dapper and for prepared statements alike.</summary>
internal sealed class Reader(CountedConnection connection) : IDisposable
{
    public SqliteConnection Connection { get; } = connection;

    public StatementCache Statements { get; } = new(connection.Handle!);

    /// <summary>How many statements it has run, transactions included.</summary>
    public long Count => connection.Commands + Statements.Uses;

    public void Dispose()
    {
        Statements.Dispose();
        Connection.Dispose();
    }
}

/// <summary>
/// At most eight readers, each read in one snapshot and on the thread pool. They wait for each other, never for the writer, and the
/// writer never waits for them.
/// </summary>
internal sealed class ReaderPool(string file) : IDisposable
{
    public const int MostReaders = 8;

    private readonly SemaphoreSlim _slots = new(MostReaders);
    private readonly ConcurrentStack<Reader> _idle = [];
    private long _statements;
    private volatile bool _isClosed;

    /// <summary>How many statements all readers have run.</summary>
    public long Statements => Interlocked.Read(ref _statements);

    /// <summary>Reads in one snapshot.</summary>
    public Task<T> ReadAsync<T>(Func<Reader, ValueTask<T>> read, CancellationToken cancellationToken) => RunAsync(read, isSnapshot: true, cancellationToken);

    /// <summary>Runs one statement, which is a snapshot of its own: there is nothing to begin and to end.</summary>
    public Task<T> ReadOnceAsync<T>(Func<Reader, ValueTask<T>> read, CancellationToken cancellationToken) => RunAsync(read, isSnapshot: false, cancellationToken);

    /// <summary>Lets new reads wait and the running ones end. Null if they did not in time; otherwise nobody reads until it is disposed.</summary>
    public async Task<IDisposable?> TryPauseAsync(TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        var pause = new Pause(_slots);
        try
        {
            while (pause.Held < MostReaders)
            {
                await _slots.WaitAsync(limit.Token).ConfigureAwait(false);
                pause.Held++;
            }

            return pause;
        }
        catch (OperationCanceledException)
        {
            pause.Dispose();
            return null;
        }
    }

    /// <summary>Refuses new reads and closes what is not in use; the rest is closed when it is given back.</summary>
    public void Dispose()
    {
        _isClosed = true;
        while (_idle.TryPop(out var reader)) reader.Dispose();
    }

    private async Task<T> RunAsync<T>(Func<Reader, ValueTask<T>> read, bool isSnapshot, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await Task.Run(() => ReadOnReaderAsync(read, isSnapshot), cancellationToken).ConfigureAwait(false);
        }
        catch (SqliteException error) when (SqliteFaults.Of(error) is StoreUnavailableException unavailable)
        {
            throw unavailable;
        }
        finally
        {
            _slots.Release();
        }
    }

    private async Task<T> ReadOnReaderAsync<T>(Func<Reader, ValueTask<T>> read, bool isSnapshot)
    {
        if (_isClosed) throw new StoreUnavailableException("The store is shutting down.");
        var reader = _idle.TryPop(out var idle) ? idle : new Reader(SqliteDatabase.OpenReader(file));
        var isClean = false;
        var before = reader.Count;
        try
        {
            if (isSnapshot) reader.Statements.Run("BEGIN");
            var result = await read(reader).ConfigureAwait(false);
            if (isSnapshot) reader.Statements.Run("COMMIT");
            reader.Statements.Trim();
            isClean = true;
            return result;
        }
        finally
        {
            Interlocked.Add(ref _statements, reader.Count - before);
            if (isClean || TryRollBack(reader)) _idle.Push(reader);
            else reader.Dispose();
            if (_isClosed) Dispose();
        }
    }

    private static bool TryRollBack(Reader reader)
    {
        try
        {
            if (!reader.Statements.IsInAutocommit) reader.Statements.Run("ROLLBACK");
            return true;
        }
        catch (Exception error) when (error is SqliteException or StoreUnavailableException)
        {
            return false;
        }
    }

    private sealed class Pause(SemaphoreSlim slots) : IDisposable
    {
        public int Held { get; set; }

        public void Dispose()
        {
            if (Held > 0) slots.Release(Held);
            Held = 0;
        }
    }
}
