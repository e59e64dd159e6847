using Tidings.Server.Storage;

namespace Tidings.Server.Host;

/// <summary>Removes keys that are over, the oldest first and a small piece at a time. It needs no index: rows lie in the order of time.</summary>
internal sealed partial class IdempotencyCleanup(Store store, TimeProvider clock, ILogger<IdempotencyCleanup> logger) : BackgroundService
{
    private const int Piece = 500;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(1);

    /// <summary>Removes what is over among the oldest few.</summary>
    /// <returns>Whether all of them were, so that there may be more.</returns>
    public async Task<bool> RemoveAsync(CancellationToken cancellationToken)
    {
        var limits = new { Take = Piece, ExpiredBefore = IdempotencyKeys.ExpiredBefore(clock.GetUtcNow()) };
        return await store.WriteAsync(async write => await write.ExecuteAsync(Sql.Remove, limits), cancellationToken).ConfigureAwait(false) == Piece;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var hasMore = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(hasMore ? Pause : Rest, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (stoppingToken.IsCancellationRequested) return;
            try
            {
                hasMore = await RemoveAsync(stoppingToken).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // Keys that stay longer do no harm; the next round takes them.
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Log.CleanupFailed(logger, exception);
            }
        }
    }

    private static class Sql
    {
        public const string Remove = """
            DELETE FROM idempotency_keys
            WHERE id IN (SELECT id FROM idempotency_keys ORDER BY id LIMIT @Take) AND created_at < @ExpiredBefore
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(3011, LogLevel.Warning, "Removing old idempotency keys failed; it is tried again.")]
        public static partial void CleanupFailed(ILogger logger, Exception exception);
    }
}
