using System.Data.Common;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage;

/// <summary>
/// The database as features see it: reads, and units of work that are committed whole or not at all together with the publications
/// they append to the event log. Safe for all threads.
/// </summary>
internal abstract class Store
{
    /// <summary>Whether it is on PostgreSQL, for the few statements that cannot be the same on both databases.</summary>
    public abstract bool IsPostgres { get; }

    /// <summary>
    /// Names who is handed what is committed, and begins: one call at a time, not on the committing thread; those of a channel are in order
    /// unless several wrote at once.
    /// </summary>
    public abstract void DeliverTo(Action<IReadOnlyList<Publication>> listener);

    /// <summary>
    /// Runs a unit of work and completes when it is on disk. The unit may be run again (after a deadlock, or when another unit of its
    /// group broke the transaction), so it has no side effects and sets no captured state. It awaits nothing but the write's own
    /// methods: on SQLite anything else rolls it back with an error. Units do not nest.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The store is full, out of reach or shutting down: nothing was written, or it is unknown.</exception>
    public abstract Task<Committed<T>> CommitAsync<T>(Func<IWriteUnit, ValueTask<T>> unit, CancellationToken cancellationToken);

    /// <summary>As <see cref="CommitAsync{T}"/>, for callers who want the unit's result alone.</summary>
    public async Task<T> WriteAsync<T>(Func<IWriteUnit, ValueTask<T>> unit, CancellationToken cancellationToken) =>
        (await CommitAsync(unit, cancellationToken).ConfigureAwait(false)).Result;

    /// <summary>As <see cref="CommitAsync{T}"/>, for units without a result.</summary>
    public Task WriteAsync(Func<IWriteUnit, ValueTask> unit, CancellationToken cancellationToken) =>
        CommitAsync<bool>(
            async write =>
            {
                await unit(write).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    /// <summary>Reads on a connection of its own, in one snapshot. The number of readers is bounded; callers queue.</summary>
    public abstract Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken cancellationToken);

    /// <summary>As <see cref="ReadAsync{T}"/> for a single statement, which takes no transaction.</summary>
    public abstract Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object parameters, CancellationToken cancellationToken);
}

/// <summary>A unit of work that is on disk: what it returned, and what it appended, in the order of the log.</summary>
internal readonly record struct Committed<T>(T Result, IReadOnlyList<Publication> Publications)
{
    /// <summary>
    /// The publications in the order of their drafts. The log sorts by channel and keeps the order within one, so each channel's come back
    /// in the order of its drafts.
    /// </summary>
    public IReadOnlyList<Publication> InOrderOf(IReadOnlyList<PublicationDraft> drafts)
    {
        if (drafts.Count == 1) return Publications;

        var ofChannel = Publications.GroupBy(publication => publication.Channel).ToDictionary(channel => channel.Key, channel => channel.GetEnumerator());
        var ordered = new Publication[drafts.Count];
        for (var index = 0; index < ordered.Length; index++)
        {
            var rest = ofChannel[drafts[index].Channel];
            rest.MoveNext();
            ordered[index] = rest.Current;
        }

        return ordered;
    }
}

/// <summary>
/// What a unit of work may do. Parameters are the public properties of an object (<c>@Name</c> in the statement), as with Dapper;
/// rows are mapped to constructor parameters or settable properties by column name, without case and underscores; tuples by the order of
/// the columns. Values are string, long, int, bool, double, byte[], ReadOnlyMemory of bytes (parameters only) and DateTimeOffset, which is
/// kept as Unix milliseconds; an enum is written as its name, a list as JSON for <c>json_each</c>. Only statements about rows are allowed.
/// A comment <c>/*FOR UPDATE*/</c> locks what a query finds where several write at once. To avoid deadlocks units lock in this order:
/// follows, posts, post_likes, conversations, users, idempotency_keys, pending_counters, pending_public_posts, pending_like_notices, comments,
/// conversation_members, notification_boxes (by user), the rest; the log's channels come last by themselves.
/// </summary>
internal interface IWriteUnit
{
    /// <summary>Runs a statement and returns the number of rows it changed.</summary>
    ValueTask<int> ExecuteAsync(string sql, object? parameters = null);

    /// <summary>Runs a query; null (or the type's default) if it has no row.</summary>
    ValueTask<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters = null);

    /// <summary>Runs a query.</summary>
    ValueTask<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null);

    /// <summary>
    /// Runs a statement of whose outcome the unit need not know, in its order among the others. On PostgreSQL it is sent with the next one
    /// or with the commit, which saves an exchange with the server, and time for which rows are locked.
    /// </summary>
    void Enqueue(string sql, object? parameters = null);

    /// <summary>Collects a publication. All of a unit's publications are appended just before its commit, sorted by channel name.</summary>
    void Append(PublicationDraft draft);
}

/// <summary>The store cannot do its work now. Answered with 503 and <c>Retry-After</c>; the request may be repeated with the same key.</summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
