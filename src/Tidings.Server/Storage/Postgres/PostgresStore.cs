using System.Data;
using System.Data.Common;
using System.Diagnostics.Metrics;
using Dapper;
using Npgsql;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Postgres;

/// <summary>
/// The store on a PostgreSQL database, which other nodes may share. Units run side by side, each in a transaction of its own, as many at a
/// time as there are connections; the others wait a moment, and are refused when the database does not keep up.
/// </summary>
internal sealed class PostgresStore : Store, IDisposable
{
    /// <summary>The most reads at a time.</summary>
    public const int MostReaders = 8;

    private const int MostWaiting = 8_192;
    private const int MostRuns = 6;

    private static readonly TimeSpan SlotPatience = TimeSpan.FromSeconds(10);

    // Set while a unit runs: everything that it starts inherits it, wherever it goes on.
    private static readonly AsyncLocal<bool> IsInsideUnit = new();

    private readonly NpgsqlDataSource _writers;
    private readonly NpgsqlDataSource _readers;
    private readonly SemaphoreSlim _writerSlots;
    private readonly SemaphoreSlim _readerSlots = new(MostReaders);
    private readonly PostgresCarrier _carrier;
    private readonly Outage _outage;
    private readonly Meter _meter = new("Tidings");
    private int _waiting;
    private long _statementsOfWriters;
    private long _statementsOfReaders;
    private volatile bool _isDisposed;

    /// <summary>Opens the store.</summary>
    /// <exception cref="StorageStartException">It cannot be used; the message says what to do.</exception>
    public PostgresStore(string connectionString, TimeProvider clock, ILoggerFactory loggers, IReadOnlyList<Migration>? migrations = null)
    {
        DapperMapping.Register();
        var settings = new PostgresConnection(connectionString);
        var logger = loggers.CreateLogger<PostgresStore>();
        _writers = settings.ForWriters();
        _readers = settings.ForReaders(MostReaders);
        _writerSlots = new SemaphoreSlim(settings.MostWriters);
        _outage = new Outage(clock);
        try
        {
            Positions = new LogPositions(PostgresDatabase.Open(settings, _writers, migrations ?? PostgresDatabase.Migrations, clock, logger));
        }
        catch
        {
            _writers.Dispose();
            _readers.Dispose();
            throw;
        }

        Rows = new EventRows(Positions, loggers.CreateLogger<EventRows>());
        _carrier = new PostgresCarrier(loggers.CreateLogger<PostgresCarrier>());
        _meter.CreateObservableCounter(
            "tidings_database_statements_total",
            () => (Measurement<long>[])
            [
                new(Interlocked.Read(ref _statementsOfReaders), new KeyValuePair<string, object?>("by", "readers")),
                new(Interlocked.Read(ref _statementsOfWriters), new KeyValuePair<string, object?>("by", "writer")),
            ],
            description: "Statements run by the database, by who ran them.");
    }

    public override bool IsPostgres => true;

    /// <summary>How epochs are made.</summary>
    public LogPositions Positions { get; }

    /// <summary>Rows of the log to publications.</summary>
    public EventRows Rows { get; }

    public override void DeliverTo(Action<IReadOnlyList<Publication>> listener) => _carrier.DeliverTo(listener);

    public override async Task<Committed<T>> CommitAsync<T>(Func<IWriteUnit, ValueTask<T>> unit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(unit);
        if (IsInsideUnit.Value) throw new InvalidOperationException("Units of work do not nest: pass the write of the outer one on, or write after it.");

        await EnterAsync(_writerSlots, cancellationToken).ConfigureAwait(false);
        try
        {
            var committed = await RunAsync(unit).ConfigureAwait(false);
            _carrier.Offer(committed.Publications);
            return committed;
        }
        finally
        {
            _writerSlots.Release();
        }
    }

    public override Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(read);
        RefuseInsideUnit();
        return ReadInSnapshotAsync(connection => read(connection), cancellationToken);
    }

    public override Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object parameters, CancellationToken cancellationToken)
    {
        RefuseInsideUnit();
        return ReadOnceAsync<IReadOnlyList<T>>(async connection => (await connection.QueryAsync<T>(sql, parameters).ConfigureAwait(false)).AsList(), cancellationToken);
    }

    /// <summary>Runs one statement, which is a snapshot of its own.</summary>
    public async Task<T> ReadOnceAsync<T>(Func<NpgsqlConnection, Task<T>> read, CancellationToken cancellationToken)
    {
        await EnterAsync(_readerSlots, cancellationToken).ConfigureAwait(false);
        try
        {
            // A connection from before a restart of the database is found out by its first statement; the second try has a new one.
            for (var isFirst = true; ; isFirst = false)
            {
                try
                {
                    await using var connection = await _readers.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
                    var result = await read(connection).ConfigureAwait(false);
                    Interlocked.Increment(ref _statementsOfReaders);
                    _outage.End();
                    return result;
                }
                catch (Exception error) when (isFirst && PostgresFaults.IsLostConnection(error))
                {
                }
            }
        }
        catch (Exception error) when (PostgresFaults.UnavailabilityOf(error) is { } unavailable)
        {
            throw Unavailable(unavailable);
        }
        finally
        {
            _readerSlots.Release();
        }
    }

    /// <summary>Reads in one snapshot.</summary>
    public Task<T> ReadInSnapshotAsync<T>(Func<NpgsqlConnection, Task<T>> read, CancellationToken cancellationToken) => ReadOnceAsync(
        async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
            var result = await read(connection).ConfigureAwait(false);
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
            Interlocked.Add(ref _statementsOfReaders, 2);
            return result;
        },
        cancellationToken);

    /// <summary>Refuses what comes; what runs ends by its own deadlines.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _carrier.Dispose();
        _meter.Dispose();
        _writers.Dispose();
        _readers.Dispose();
    }

    private async Task<Committed<T>> RunAsync<T>(Func<IWriteUnit, ValueTask<T>> unit)
    {
        for (var run = 1; ; run++)
        {
            try
            {
                return await RunOnceAsync(unit).ConfigureAwait(false);
            }
            catch (Exception error) when (run < MostRuns && PostgresFaults.IsRepeatable(error))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 10 * run)), TimeProvider.System).ConfigureAwait(false);
            }
            catch (LostBeforeCommitException lost)
            {
                // A pooled connection from before a restart of the database; it is tried once more with a new one.
                if (run > 1) throw Unavailable(PostgresFaults.UnavailabilityOf(lost.InnerException!)!);
            }
            catch (Exception error) when (PostgresFaults.UnavailabilityOf(error) is { } unavailable)
            {
                throw Unavailable(unavailable);
            }
        }
    }

    private async Task<Committed<T>> RunOnceAsync<T>(Func<IWriteUnit, ValueTask<T>> unit)
    {
        await using var connection = await _writers.OpenConnectionAsync().ConfigureAwait(false);
        var write = new PostgresWriteUnit(connection);
        IsInsideUnit.Value = true; // ends with this method
        try
        {
            var result = await unit(write).ConfigureAwait(false);
            write.End();
            if (write.Fault is { } fault) throw new InvalidOperationException("A statement of the unit failed, so it was rolled back.", fault);
            var publications = await write.CommitAsync(Positions).ConfigureAwait(false);
            _outage.End();
            return new Committed<T>(result, publications);
        }
        catch (Exception error)
        {
            write.End();
            await write.RollBackAsync().ConfigureAwait(false);
            if (!write.IsCommitting && PostgresFaults.IsLostConnection(write.Fault ?? error)) throw new LostBeforeCommitException(write.Fault ?? error);
            throw;
        }
        finally
        {
            Interlocked.Add(ref _statementsOfWriters, write.Statements);
        }
    }

    private async Task EnterAsync(SemaphoreSlim slots, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_isDisposed) throw new StoreUnavailableException("The store is shutting down.");
        var failures = _outage.Failures;
        if (!_outage.MayTry()) throw new StoreUnavailableException("The database was out of reach a moment ago.");
        try
        {
            if (Interlocked.Increment(ref _waiting) > MostWaiting) throw new StoreUnavailableException($"{MostWaiting} requests are waiting for the database already.");
            if (!await slots.WaitAsync(SlotPatience, cancellationToken).ConfigureAwait(false)) throw new StoreUnavailableException("The database does not keep up.");
            if (!_outage.HasFailedSince(failures)) return;
            slots.Release();
            throw new StoreUnavailableException("The database was out of reach a moment ago.");
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private StoreUnavailableException Unavailable(StoreUnavailableException unavailable)
    {
        _outage.Begin(unavailable);
        return unavailable;
    }

    private static void RefuseInsideUnit()
    {
        if (IsInsideUnit.Value) throw new InvalidOperationException("A unit of work reads through its own write: other readers don't see what it has written.");
    }

    private sealed class LostBeforeCommitException(Exception inner) : Exception(inner.Message, inner);
}
