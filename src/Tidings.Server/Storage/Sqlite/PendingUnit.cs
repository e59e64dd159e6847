using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>A unit of work on its way through the writer, with the caller who waits for it.</summary>
internal abstract class PendingUnit
{
    private const int Waiting = 0;
    private const int Started = 1;
    private const int Dropped = 2;

    private CancellationTokenRegistration _registration;
    private int _state;

    /// <summary>Lets the caller give up until the unit starts. To be called before the unit is queued.</summary>
    public void CancelWith(CancellationToken cancellationToken) => _registration = cancellationToken.UnsafeRegister(
        static (state, token) =>
        {
            var unit = (PendingUnit)state!;
            if (Interlocked.CompareExchange(ref unit._state, Dropped, Waiting) == Waiting) unit.SetCanceled(token);
        },
        this);

    /// <summary>The unit has found no place in the queue.</summary>
    public void Withdraw() => _registration.Unregister();

    /// <summary>False if the caller has given up. After true nothing interrupts it.</summary>
    public bool TryStart()
    {
        if (Interlocked.CompareExchange(ref _state, Started, Waiting) != Waiting) return false;
        _registration.Unregister();
        return true;
    }

    /// <summary>For what is no unit at all: runs it outside of any transaction, and it is done.</summary>
    public virtual bool TryRunOutside(StatementCache database) => false;

    /// <summary>Runs the unit's delegate to its end, on the writer's thread. May be called again if the transaction is lost.</summary>
    public abstract void Run(IWriteUnit write);

    /// <summary>Whether the caller knows what became of it.</summary>
    public bool IsAnswered { get; private set; }

    /// <summary>The unit is on disk. The caller goes on elsewhere.</summary>
    public void Complete(IReadOnlyList<Publication> publications)
    {
        IsAnswered = true;
        SetResult(publications);
    }

    /// <summary>The unit has left nothing behind.</summary>
    public void Fail(Exception error)
    {
        IsAnswered = true;
        SetException(error);
    }

    protected abstract void SetResult(IReadOnlyList<Publication> publications);

    protected abstract void SetException(Exception error);

    protected abstract void SetCanceled(CancellationToken token);
}

/// <inheritdoc cref="PendingUnit" />
internal sealed class PendingUnit<T>(Func<IWriteUnit, ValueTask<T>> unit) : PendingUnit
{
    private readonly TaskCompletionSource<Committed<T>> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T _result = default!;

    public Task<Committed<T>> Completion => _completion.Task;

    public override void Run(IWriteUnit write)
    {
        var running = unit(write);
        if (!running.IsCompleted)
        {
            Forget(running);
            throw new InvalidOperationException(
                "The unit awaited something else than its own write, so it was rolled back. Do everything else before or after the unit.");
        }

        _result = running.GetAwaiter().GetResult();
    }

    protected override void SetResult(IReadOnlyList<Publication> publications) => _completion.TrySetResult(new(_result, publications));

    protected override void SetException(Exception error) => _completion.TrySetException(error);

    protected override void SetCanceled(CancellationToken token) => _completion.TrySetCanceled(token);

    // What comes of it later is nobody's: its write has ended and refuses everything.
    private static async void Forget(ValueTask<T> running)
    {
        try
        {
            await running.ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The caller has been told already.
        }
    }
}

/// <summary>Something that wants the writer's connection for itself, between the units.</summary>
internal sealed class WriterQuestion<T>(Func<StatementCache, T> ask) : PendingUnit
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Answer => _answer.Task;

    public override bool TryRunOutside(StatementCache database)
    {
        try
        {
            _answer.TrySetResult(ask(database));
        }
        catch (Exception error)
        {
            _answer.TrySetException(error);
        }

        return true;
    }

    public override void Run(IWriteUnit write) => throw new NotSupportedException();

    protected override void SetResult(IReadOnlyList<Publication> publications)
    {
    }

    protected override void SetException(Exception error) => _answer.TrySetException(error);

    protected override void SetCanceled(CancellationToken token) => _answer.TrySetCanceled(token);
}
