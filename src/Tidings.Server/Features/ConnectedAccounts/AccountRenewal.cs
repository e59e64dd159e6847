using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.ConnectedAccounts;

/// <summary>
/// Renews accounts' tokens, ahead of time and when a platform refuses them. One node at a time renews an account: it holds a lease in the row, and writes
/// only if nobody changed the row meanwhile, so that a token that may be used once is used once and an older answer never replaces a newer.
/// </summary>
internal sealed partial class AccountRenewal(Store store, AccountVault vault, AccountSecrets secrets, ConnectorCatalog connectors, TimeProvider clock, ILogger<AccountRenewal> logger)
    : BackgroundService
{
    private const int Batch = 20;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2); // above what the requests of a renewal may take together
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TryAgain = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Soonest = TimeSpan.FromSeconds(30);

    /// <summary>When tokens are to be renewed that end at a time: after three quarters of their life.</summary>
    public static DateTimeOffset? RenewAt(DateTimeOffset now, DateTimeOffset? expiresAt)
    {
        if (expiresAt is not { } end) return null;
        var wait = (end - now) * 0.75;
        return now + (wait > Soonest ? wait : Soonest);
    }

    /// <summary>
    /// Renews the tokens of an account with which a platform refused a request. True: open the account again and try once more. False: the platform
    /// refuses the account for good, and its user has been told; or its tokens could not be renewed now.
    /// </summary>
    public async Task<bool> RenewAsync(ConnectedAccount refused, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await vault.OpenAsync(refused.Id, cancellationToken).ConfigureAwait(false) is not { } current) return false;
            if (current.Secrets != refused.Secrets) return true; // somebody else has renewed it
            if (await TakeAsync(refused.Id, cancellationToken).ConfigureAwait(false) is { } row)
            {
                if (vault.Open(row)?.Secrets == refused.Secrets) return await RenewAsync(row, cancellationToken).ConfigureAwait(false);
                await ReleaseAsync(row, cancellationToken).ConfigureAwait(false); // between the look and the lease somebody else had finished
                continue;
            }

            await Task.Delay(Pause, clock, cancellationToken).ConfigureAwait(false); // somebody else is at it
        }
    }

    /// <summary>Renews those that are due, and forgets authorizations that nobody came back from.</summary>
    public async Task RenewDueAsync(CancellationToken cancellationToken)
    {
        var due = await store.QueryAsync<string>(Sql.Due, new { Now = clock.GetUtcNow(), Batch }, cancellationToken).ConfigureAwait(false);
        foreach (var id in due)
        {
            if (await TakeAsync(id, cancellationToken).ConfigureAwait(false) is not { } row) continue;
            if (row.RenewAt <= clock.GetUtcNow().ToUnixTimeMilliseconds()) await RenewAsync(row, cancellationToken).ConfigureAwait(false);
            else await ReleaseAsync(row, cancellationToken).ConfigureAwait(false);
        }

        var forgotten = new { Now = clock.GetUtcNow() };
        if ((await store.QueryAsync<string>(Sql.AnyForgotten, forgotten, cancellationToken).ConfigureAwait(false)).Count > 0)
            await store.WriteAsync(async write => { await write.ExecuteAsync(Sql.Forget, forgotten); }, cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var loop = new Events.FlushLoop("the accounts to renew", Interval, RenewDueAsync, clock, logger);
        using var timer = clock.CreateTimer(_ => loop.Wake(), null, Interval, Interval);
        await loop.RunAsync(stoppingToken).ConfigureAwait(false);
    }

    /// <summary>Takes the lease of an account; null if another has it.</summary>
    private Task<AccountRow?> TakeAsync(string id, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        return store.WriteAsync(write => write.QuerySingleOrDefaultAsync<AccountRow>(Sql.Take, new { Id = id, Now = now, Until = now + Lease }), cancellationToken);
    }

    /// <summary>Gives the lease back: there is nothing to do.</summary>
    private Task ReleaseAsync(AccountRow row, CancellationToken cancellationToken) =>
        store.WriteAsync(async write => { await write.ExecuteAsync(Sql.Release, new { row.Id, row.Version }); }, cancellationToken);

    /// <summary>Renews an account whose lease is held.</summary>
    private async Task<bool> RenewAsync(AccountRow row, CancellationToken cancellationToken)
    {
        var answer = RenewAnswer.Later("The account's secrets do not open.");
        if (connectors.Find(row.Platform) is { } connector && vault.Open(row) is { } account)
        {
            try
            {
                answer = await connector.RenewAsync(account, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Log.Failed(logger, row.Platform, row.Id, exception.GetType().Name);
                answer = RenewAnswer.Later("The renewal failed.");
            }
        }

        var now = clock.GetUtcNow();
        var isLater = answer is { IsRefused: false, Secrets: null, Reason: not null };
        var renewAt = isLater ? (row.RenewAt is null ? null : now + TryAgain) : RenewAt(now, answer.ExpiresAt);
        var done = new
        {
            row.Id,
            row.Version,
            Secrets = answer.Secrets is { } renewed ? secrets.Seal(row.Id, renewed) : row.Secrets,
            RenewAt = renewAt?.ToUnixTimeMilliseconds(),
        };
        return await store.WriteAsync(
            async write =>
            {
                if (await write.ExecuteAsync(Sql.Finish, done) == 0) return true; // connected again meanwhile: those credentials count
                if (answer.IsRefused) await AccountVault.NeedsReconnectAsync(write, row.Id, answer.Reason ?? "The platform no longer accepts its tokens.", now);
                return !answer.IsRefused && !isLater;
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static class Sql
    {
        public const string Due = $"""
            SELECT id FROM connected_accounts
            WHERE renew_at IS NOT NULL AND renew_at <= @Now AND renewal_until <= @Now AND status = '{AccountRow.Connected}'
            ORDER BY renew_at LIMIT @Batch
            """;

        public const string Take = $"""
            UPDATE connected_accounts SET renewal_until = @Until, version = version + 1
            WHERE id = @Id AND renewal_until <= @Now AND status = '{AccountRow.Connected}'
            RETURNING {AccountRow.Columns}
            """;

        public const string Release = "UPDATE connected_accounts SET renewal_until = 0, version = version + 1 WHERE id = @Id AND version = @Version";

        public const string Finish = """
            UPDATE connected_accounts SET secrets = @Secrets, renew_at = @RenewAt, renewal_until = 0, version = version + 1
            WHERE id = @Id AND version = @Version
            """;

        public const string AnyForgotten = $"SELECT id FROM connected_accounts WHERE status = '{AccountRow.Authorizing}' AND renew_at <= @Now LIMIT 1";
        public const string Forget = $"DELETE FROM connected_accounts WHERE status = '{AccountRow.Authorizing}' AND renew_at <= @Now";
    }

    private static partial class Log
    {
        [LoggerMessage(1502, LogLevel.Error, "Renewing the {Platform} account {AccountId} failed: {Fault}")]
        public static partial void Failed(ILogger logger, string platform, string accountId, string fault);
    }
}
