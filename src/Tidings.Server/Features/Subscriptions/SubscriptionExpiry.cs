using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Subscriptions;

/// <summary>
/// Marks the periods that have come to their end and says so to their readers' clients. Rights end without it: whoever asks compares
/// with the clock.
/// </summary>
internal sealed class SubscriptionExpiry : BackgroundService
{
    private const int Batch = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Store _store;
    private readonly TimeProvider _clock;
    private readonly ILogger<SubscriptionExpiry> _logger;

    public SubscriptionExpiry(Store store, TimeProvider clock, ILogger<SubscriptionExpiry> logger) => (_store, _clock, _logger) = (store, clock, logger);

    /// <summary>Marks what is over now.</summary>
    public async Task MarkAsync(CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        var over = new { NowMs = now.ToUnixTimeMilliseconds(), Take = Batch };
        if ((await _store.QueryAsync<string>(Sql.AnyOver, over, cancellationToken).ConfigureAwait(false)).Count == 0) return;

        while (await _store.WriteAsync(write => MarkBatchAsync(write, over, now), cancellationToken).ConfigureAwait(false) == Batch)
        {
            // The next ones.
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var loop = new FlushLoop("the subscriptions that are over", Interval, MarkAsync, _clock, _logger);
        using var timer = _clock.CreateTimer(_ => loop.Wake(), null, Interval, Interval);
        await loop.RunAsync(stoppingToken).ConfigureAwait(false);
    }

    private static async ValueTask<int> MarkBatchAsync(IWriteUnit write, object over, DateTimeOffset now)
    {
        // By creator, as their rows are locked: two nodes that mark at once wait for one another, and the second finds nothing left.
        var rows = await write.QueryAsync<SubscriptionRow>(Sql.Over, over).ConfigureAwait(false);
        foreach (var row in rows.OrderBy(static row => row.CreatorId, StringComparer.Ordinal).ThenBy(static row => row.Id, StringComparer.Ordinal))
            await SubscriptionGrants.EndAsync(write, row, "expired", SubscriptionGrants.Expired, now).ConfigureAwait(false);
        return rows.Count;
    }

    private static class Sql
    {
        private const string IsOver = "s.expires_at <= @NowMs AND s.status IN ('active', 'canceled') ORDER BY s.expires_at LIMIT @Take";

        public const string AnyOver = $"SELECT s.id FROM subscriptions s WHERE {IsOver}";
        public const string Over = $"{SubscriptionRow.Select} WHERE {IsOver}";
    }
}
