using System.Text.Json;
using Dapper;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>
/// Removes keys that are over. It walks the table in the order of its primary key, a small piece at a time, because an index by age
/// would cost every request that has a key.
/// </summary>
internal sealed partial class IdempotencyCleanup(Store store, TimeProvider clock, ILogger<IdempotencyCleanup> logger) : BackgroundService
{
    private const int Piece = 500;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(10);

    /// <summary>Walks one piece on from a place, and removes what is over in it.</summary>
    /// <returns>The place reached; null at the end of the table.</returns>
    public async Task<KeyPlace?> StepAsync(KeyPlace after, CancellationToken cancellationToken)
    {
        var piece = await store.ReadAsync(
            async connection => (await connection.QueryAsync<Row>(Sql.Piece, new { after.UserId, after.Key, Take = Piece }).ConfigureAwait(false)).AsList(),
            cancellationToken).ConfigureAwait(false);

        var limit = IdempotencyKeys.ExpiredBefore(clock.GetUtcNow());
        var over = piece.Where(row => row.CreatedAt < limit).Select(row => new[] { row.UserId, row.Key }).ToArray();
        if (over.Length > 0)
        {
            var rows = JsonSerializer.Serialize(over);
            await store.WriteAsync(async write => await write.ExecuteAsync(Sql.Remove, new { Rows = rows, Limit = limit }), cancellationToken).ConfigureAwait(false);
        }

        return piece.Count < Piece ? null : new KeyPlace(piece[^1].UserId, piece[^1].Key);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var place = KeyPlace.Start;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(place == KeyPlace.Start ? Rest : Pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            try
            {
                place = await StepAsync(place, stoppingToken).ConfigureAwait(false) ?? KeyPlace.Start;
            }
#pragma warning disable CA1031 // Keys that stay longer do no harm; the next round takes them.
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Log.CleanupFailed(logger, exception);
            }
        }
    }

    private sealed record Row(string UserId, string Key, long CreatedAt);

    private static class Sql
    {
        public const string Piece = """
            SELECT user_id AS UserId, key AS Key, created_at AS CreatedAt FROM idempotency_keys
            WHERE (user_id, key) > (@UserId, @Key) ORDER BY user_id, key LIMIT @Take
            """;

        public const string Remove = """
            DELETE FROM idempotency_keys
            WHERE created_at < @Limit AND (user_id, key) IN (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(@Rows))
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(3011, LogLevel.Warning, "Removing old idempotency keys failed; it is tried again.")]
        public static partial void CleanupFailed(ILogger logger, Exception exception);
    }
}

/// <summary>A place in the table of keys.</summary>
internal sealed record KeyPlace(string UserId, string Key)
{
    /// <summary>Before the first.</summary>
    public static KeyPlace Start { get; } = new("", "");
}
