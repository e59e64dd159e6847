using System.Data.Common;
using Dapper;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>What differs between a server's store and a test's.</summary>
internal sealed record SqliteStoreOptions
{
    /// <summary>The schema.</summary>
    public IReadOnlyList<Migration> Migrations { get; init; } = Sqlite.Migrations.Embedded;

    /// <summary>How many units may wait for the writer; more are refused at once.</summary>
    public int MostWaiting { get; init; } = 8_192;

    /// <summary>How long closing may take to finish what waits.</summary>
    public TimeSpan TimeToFinish { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// The store on one SQLite file: one thread writes, in groups that share a transaction and an fsync; up to eight connections read.
/// </summary>
internal sealed partial class SqliteStore : Store, IDisposable
{
    private const int MostInGroup = 256;

    // Set once on the writer's thread: everything that a unit starts inherits it, wherever it goes on.
    private static readonly AsyncLocal<bool> IsInsideUnit = new();

    private readonly SqliteStoreOptions _options;
    private readonly DataDirectory _directory;
    private readonly StatementCache _database;
    private readonly UnitQueue _queue;
    private readonly LogAppender _log;
    private readonly CommitLoop _commits;
    private readonly StorageMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Thread _writer;
    private volatile bool _isGivenUp;
    private bool _isDisposed;

    /// <summary>Opens the store in a folder, which is its own until it is disposed.</summary>
    /// <exception cref="StorageStartException">It cannot be opened; the message says what to do.</exception>
    public SqliteStore(string dataDirectory, TimeProvider clock, ILoggerFactory loggers, SqliteStoreOptions? options = null)
    {
        DapperMapping.Register();
        _options = options ?? new SqliteStoreOptions();
        _logger = loggers.CreateLogger<SqliteStore>();
        _queue = new UnitQueue(_options.MostWaiting);
        _directory = new DataDirectory(dataDirectory);
        try
        {
            _database = SqliteDatabase.OpenWriter(_directory, _options.Migrations, clock);
            Positions = new LogPositions(LogGeneration.Settle(_database, _directory, LogAppender.ReadLastSequence(_database), _logger));
        }
        catch
        {
            if (_database is not null) SqliteDatabase.Close(_database);
            _directory.Dispose();
            throw;
        }

        Rows = new EventRows(Positions, loggers.CreateLogger<EventRows>());
        Readers = new ReaderPool(_directory.Database);
        _log = new LogAppender(_database, Positions);
        _commits = new CommitLoop(_database, _log, _logger);
        Carrier = new CommitCarrier(
            LogGeneration.Read(_database, "carried_through"), () => SqliteDatabase.OpenReader(_directory.Database),
            (reader, after, limit) => LogQueries.AllSince(reader, Rows, Positions, after, limit), () => CommittedSequence, loggers.CreateLogger<CommitCarrier>());
        RememberProgress();
        _metrics = new StorageMetrics(() => Readers.Statements, () => _database.Uses);
        _writer = new Thread(Write) { IsBackground = true, Name = "tidings-writer" };
        _writer.UnsafeStart();
    }

    /// <summary>How epochs are made.</summary>
    public LogPositions Positions { get; }

    /// <summary>Rows of the log to publications.</summary>
    public EventRows Rows { get; }

    /// <summary>The connections that read.</summary>
    public ReaderPool Readers { get; }

    /// <summary>Hands committed publications to the publisher.</summary>
    public CommitCarrier Carrier { get; }

    /// <summary>The place of the newest event on disk.</summary>
    public long CommittedSequence => _log.CommittedSequence;

    /// <summary>How many units have been committed since the start.</summary>
    public long CommittedUnits => _commits.Units;

    /// <summary>How many units wait for the writer.</summary>
    public int Waiting => _queue.Count;

    public override bool IsPostgres => false;

    public override void DeliverTo(Action<IReadOnlyList<Publication>> listener) => Carrier.DeliverTo(listener);

    public override Task<Committed<T>> CommitAsync<T>(Func<IWriteUnit, ValueTask<T>> unit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(unit);
        if (IsInsideUnit.Value) throw new InvalidOperationException("Units of work do not nest: pass the write of the outer one on, or write after it.");
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<Committed<T>>(cancellationToken);

        var pending = new PendingUnit<T>(unit);
        if (cancellationToken.CanBeCanceled) pending.CancelWith(cancellationToken);
        try
        {
            _queue.Add(pending);
        }
        catch (StoreUnavailableException full)
        {
            pending.Withdraw();
            return Task.FromException<Committed<T>>(full);
        }

        return pending.Completion;
    }

    public override Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(read);
        RefuseInsideUnit();
        return Readers.ReadAsync(reader => new ValueTask<T>(read(reader.Connection)), cancellationToken);
    }

    public override Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object parameters, CancellationToken cancellationToken)
    {
        RefuseInsideUnit();
        return Readers.ReadOnceAsync<IReadOnlyList<T>>(
            async reader => (await reader.Connection.QueryAsync<T>(sql, parameters).ConfigureAwait(false)).AsList(), cancellationToken);
    }

    /// <summary>Reads the whole file and its indexes; null if all is well, otherwise what is wrong. Takes long on a large database.</summary>
    public Task<string?> CheckIntegrityAsync() => Task.Run(() => SqliteDatabase.CheckIntegrity(_directory.Database));

    /// <summary>Runs something on the writer's connection, outside of any transaction. For operations and tests; units wait meanwhile.</summary>
    public Task<T> AskWriterAsync<T>(Func<StatementCache, T> ask)
    {
        var question = new WriterQuestion<T>(ask);
        _queue.Add(question);
        return question.Answer;
    }

    /// <summary>
    /// Starts the write-ahead log again from the front when it is larger than it may be. SQLite does that by itself in a moment without
    /// readers, but when reads always overlap there is none: here new reads wait until the running ones are done, at most for the given time.
    /// </summary>
    /// <returns>Whether it is as small as it should be.</returns>
    public async Task<bool> ShrinkWriteAheadLogAsync(long mostBytes, TimeSpan patience)
    {
        var file = new FileInfo(_directory.WriteAheadLog);
        if (!file.Exists || file.Length <= mostBytes) return true;

        using var pause = await Readers.TryPauseAsync(patience).ConfigureAwait(false);
        return pause is not null && await AskWriterAsync(SqliteDatabase.TryTruncateWriteAheadLog).ConfigureAwait(false);
    }

    /// <summary>
    /// Remembers beside the database how far its log has come, so that an older copy of it is known for what it is at the next start.
    /// </summary>
    public void RememberProgress()
    {
        try
        {
            _directory.WriteProgress(Positions.Generation, CommittedSequence);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Log.CannotRemember(_logger, error);
        }
    }

    /// <summary>Finishes what waits, within five seconds; fails the rest.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _metrics.Dispose();

        _queue.Close();
        if (!_writer.Join(_options.TimeToFinish))
        {
            _isGivenUp = true;
            foreach (var unit in _queue.Clear())
                if (unit.TryStart()) unit.Fail(new StoreUnavailableException("The store is shutting down."));
            if (!_writer.Join(_options.TimeToFinish)) return; // a unit that never ends: the connection and the lock go with the process
        }

        Carrier.Dispose();
        Readers.Dispose();
        RememberProgress();
        SqliteDatabase.Close(_database);
        _directory.Dispose();
    }

    private void Write()
    {
        IsInsideUnit.Value = true;
        var group = new List<PendingUnit>(MostInGroup);
        while (_queue.Take(group, MostInGroup))
        {
            try
            {
                if (_isGivenUp) throw new StoreUnavailableException("The store is shutting down.");
                Carrier.Offer(_commits.Commit(group));
            }
            catch (Exception error)
            {
                if (!_isGivenUp)
                {
                    Log.WriterStumbled(_logger, error);
                    _commits.Recover(error);
                }

                foreach (var unit in group)
                    if (!unit.IsAnswered) unit.Fail(error as StoreUnavailableException ?? new StoreUnavailableException("The database's writer failed.", error));
            }

            group.Clear();
        }
    }

    private static void RefuseInsideUnit()
    {
        if (IsInsideUnit.Value) throw new InvalidOperationException("A unit of work reads through its own write: other readers don't see what it has written.");
    }

    private static partial class Log
    {
        [LoggerMessage(2005, LogLevel.Warning, "How far the log has come could not be written beside the database.")]
        public static partial void CannotRemember(ILogger logger, Exception error);

        [LoggerMessage(2003, LogLevel.Critical, "The writer failed in an unforeseen way; it goes on with the next writes.")]
        public static partial void WriterStumbled(ILogger logger, Exception error);
    }
}
