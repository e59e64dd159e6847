using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>What a unit does on the writer's connection. Every method is done when it returns.</summary>
internal sealed class SqliteWriteUnit(StatementCache database) : IWriteUnit
{
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private bool _hasEnded;

    /// <summary>What the unit wants to have appended, in its own order.</summary>
    public List<PublicationDraft>? Drafts { get; private set; }

    /// <summary>Set when a statement found the store unable to work: then the unit fails, even if it caught that.</summary>
    public StoreUnavailableException? Fault { get; private set; }

    public ValueTask<int> ExecuteAsync(string sql, object? parameters = null) => new(Execute(sql, parameters));

    public void Enqueue(string sql, object? parameters = null) => Execute(sql, parameters);

    public ValueTask<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters = null)
    {
        var statement = Prepare(sql, parameters);
        try
        {
            return new(statement.ReadSingle<T>());
        }
        catch (StoreUnavailableException fault)
        {
            Fault = fault;
            throw;
        }
    }

    public ValueTask<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null)
    {
        var statement = Prepare(sql, parameters);
        try
        {
            return new(statement.ReadAll<T>());
        }
        catch (StoreUnavailableException fault)
        {
            Fault = fault;
            throw;
        }
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

    private int Execute(string sql, object? parameters)
    {
        var statement = Prepare(sql, parameters);
        try
        {
            return statement.Run();
        }
        catch (StoreUnavailableException fault)
        {
            Fault = fault;
            throw;
        }
    }

    private Statement Prepare(string sql, object? parameters)
    {
        RefuseStrangers();
        var statement = database.GetForUnit(sql);
        statement.BindAll(parameters);
        return statement;
    }

    private void RefuseStrangers()
    {
        if (_hasEnded || Environment.CurrentManagedThreadId != _thread)
            throw new InvalidOperationException("This unit has ended: it awaited something else than its own write, or kept the write for later.");
    }
}
