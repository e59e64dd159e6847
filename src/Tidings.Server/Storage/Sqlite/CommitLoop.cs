using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>
/// Commits units in groups: one transaction and one fsync for all that were waiting. Each unit but the first has a savepoint, so a unit
/// that throws harms nobody; the first can be rolled back with the transaction, which holds nothing else yet. Belongs to the writer's
/// thread.
/// </summary>
internal sealed partial class CommitLoop(StatementCache database, LogAppender log, ILogger logger)
{
    private readonly List<(PendingUnit Unit, IReadOnlyList<Publication> Publications)> _done = [];
    private long _units;

    /// <summary>How many units have been committed. Any thread may ask.</summary>
    public long Units => Volatile.Read(ref _units);

    /// <summary>Runs and commits units, and tells each what became of it.</summary>
    /// <returns>The publications that are on disk now, in the order of the log.</returns>
    public IReadOnlyList<Publication> Commit(List<PendingUnit> units)
    {
        var committed = new List<Publication>(units.Count);
        units.RemoveAll(unit => !unit.TryStart() || unit.TryRunOutside(database));
        if (units.Count == 0 || TryTogether(units, committed)) return committed;

        // The transaction was lost on the way. Who has not been answered runs again, each alone, so that the cause hits only its own.
        committed.Clear();
        foreach (var unit in units)
        {
            if (unit.IsAnswered) continue;
            var alone = new List<Publication>(1);
            if (TryTogether([unit], alone)) committed.AddRange(alone);
            else if (!unit.IsAnswered) unit.Fail(new StoreUnavailableException("Another program writes to the database's event log."));
        }

        return committed;
    }

    /// <summary>Ends what an unforeseen error may have left open.</summary>
    public void Recover(Exception why) => Lose(0, why);

    /// <summary>One transaction for all. False if it was lost; then some units may have no answer yet.</summary>
    private bool TryTogether(List<PendingUnit> units, List<Publication> group)
    {
        _done.Clear();
        try
        {
            database.Run("BEGIN IMMEDIATE");
        }
        catch (Exception error)
        {
            foreach (var unit in units) unit.Fail(error);
            return true;
        }

        foreach (var unit in units)
        {
            var before = group.Count;
            if (Run(unit, group) is not { } failure) continue;

            group.RemoveRange(before, group.Count - before);
            if (failure is LogOutOfStepException) return Lose(units.Count, failure, isOutOfStep: true);
            unit.Fail(failure);
            if (database.IsInAutocommit || !TryTakeBack()) return Lose(units.Count, failure);
        }

        return TryFinish(units.Count);
    }

    /// <summary>Runs one unit within the transaction. Null if it went well, otherwise what it failed of.</summary>
    private Exception? Run(PendingUnit unit, List<Publication> group)
    {
        var write = new SqliteWriteUnit(database);
        log.BeginUnit();
        try
        {
            if (_done.Count > 0) database.Run("SAVEPOINT unit");
            unit.Run(write);
            write.End();
            CrashPoints.Reached("unit-run");
            if (write.Fault is { } fault) return fault;
            if (database.IsInAutocommit) return new InvalidOperationException("A statement of the unit ended the transaction.");

            var publications = log.Append(write.Drafts, group);
            if (_done.Count > 0) database.Run("RELEASE unit");
            _done.Add((unit, publications));
            return null;
        }
        catch (Exception error)
        {
            return write.Fault ?? error;
        }
        finally
        {
            write.End();
        }
    }

    private bool TryTakeBack()
    {
        log.UndoUnit();
        try
        {
            database.Run(_done.Count > 0 ? "ROLLBACK TO unit" : "ROLLBACK");
            database.Run(_done.Count > 0 ? "RELEASE unit" : "BEGIN IMMEDIATE");
            return true;
        }
        catch (Exception error)
        {
            Log.CannotTakeBack(logger, error);
            return false;
        }
    }

    private bool TryFinish(int units)
    {
        try
        {
            log.WriteChannels();
            CrashPoints.Reached("before-commit");
            database.Run("COMMIT");
        }
        catch (Exception error)
        {
            if (_done is [var only]) only.Unit.Fail(error);
            return Lose(units, error);
        }

        CrashPoints.Reached("after-commit");
        log.Keep();
        Volatile.Write(ref _units, _units + _done.Count);
        database.Trim();
        foreach (var (unit, publications) in _done) unit.Complete(publications);
        CrashPoints.Reached("after-complete");
        return true;
    }

    /// <summary>Ends what is left of the transaction and forgets what was counted in it.</summary>
    private bool Lose(int units, Exception why, bool isOutOfStep = false)
    {
        Log.TransactionLost(logger, units, why);
        if (!database.IsInAutocommit)
        {
            try
            {
                database.Run("ROLLBACK");
            }
            catch (Exception error)
            {
                Log.CannotTakeBack(logger, error);
            }
        }

        if (isOutOfStep) log.Reread();
        else log.Discard();
        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(2001, LogLevel.Warning, "A transaction of {Units} writes was lost; those without an answer run again, each alone.")]
        public static partial void TransactionLost(ILogger logger, int units, Exception why);

        [LoggerMessage(2002, LogLevel.Error, "A rollback failed.")]
        public static partial void CannotTakeBack(ILogger logger, Exception error);
    }
}
