using Tidings.Server.Storage;

namespace Tidings.Server.Features.Media;

/// <summary>
/// Removes files that no post has a day after they came, those of deleted posts, and what a crash left without a row. A row goes before its
/// file, so that a row never names a file that is gone. Several nodes may do it at once.
/// </summary>
internal sealed partial class MediaCleanup(Store store, MediaFiles files, TimeProvider clock, ILogger<MediaCleanup> logger) : BackgroundService
{
    /// <summary>How long a file may wait for its post.</summary>
    public static readonly TimeSpan KeepUnused = TimeSpan.FromDays(1);

    private const int Batch = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    /// <summary>Removes what is over now.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        var before = clock.GetUtcNow() - KeepUnused;
        while (true)
        {
            var removed = await store.WriteAsync(
                async write => await write.QueryAsync<string>(Sql.RemoveUnused, new { Before = before, Take = Batch }), cancellationToken).ConfigureAwait(false);
            foreach (var id in removed) files.Delete(id);
            if (removed.Count < Batch) break;
        }

        files.DiscardOlderThan(before);
        foreach (var ids in files.OlderThan(before).Chunk(Batch))
        {
            var known = await store.QueryAsync<string>(Sql.Known, new { Ids = System.Text.Json.JsonSerializer.Serialize(ids) }, cancellationToken).ConfigureAwait(false);
            foreach (var id in ids.Except(known, StringComparer.Ordinal)) files.Delete(id);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do
            {
                try
                {
                    await RemoveAsync(stoppingToken).ConfigureAwait(false);
                }
#pragma warning disable CA1031 // Files that stay longer do no harm; the next round takes them.
                catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
                {
                    Log.CleanupFailed(logger, exception);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What is left is found at the next start.
        }
    }

    private static class Sql
    {
        public const string RemoveUnused = """
            DELETE FROM media WHERE id IN (SELECT id FROM media WHERE post_id IS NULL AND created_at < @Before ORDER BY id LIMIT @Take) RETURNING id
            """;

        public const string Known = "SELECT id FROM media WHERE id IN (SELECT value FROM json_each(@Ids))";
    }

    private static partial class Log
    {
        [LoggerMessage(3031, LogLevel.Warning, "Removing media that nobody uses failed; it is tried again.")]
        public static partial void CleanupFailed(ILogger logger, Exception exception);
    }
}
