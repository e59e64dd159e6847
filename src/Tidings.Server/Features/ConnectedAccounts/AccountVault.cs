using Tidings.Server.Events;
using Tidings.Server.Features.Notifications;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.ConnectedAccounts;

/// <summary>Opens connected accounts for those who publish, and marks those that can't be used any more.</summary>
internal sealed partial class AccountVault(Store store, AccountSecrets secrets, TimeProvider clock, ILogger<AccountVault> logger)
{
    /// <summary>An account with its secrets in clear; null if it is not there, or its user has to connect it again.</summary>
    public async Task<ConnectedAccount?> OpenAsync(string accountId, CancellationToken cancellationToken)
    {
        var rows = await store.QueryAsync<AccountRow>(Sql.Usable, new { Id = accountId }, cancellationToken).ConfigureAwait(false);
        return rows is [var row] ? Open(row) : null;
    }

    /// <summary>The account of a row; null if its secrets do not open.</summary>
    public ConnectedAccount? Open(AccountRow row)
    {
        if (secrets.Open(row.Id, row.Secrets) is { } opened)
            return new ConnectedAccount(row.Id, row.UserId, row.Platform, row.ExternalId, row.Handle, new Uri(row.BaseUrl), opened);
        Log.Unreadable(logger, row.Platform, row.Id);
        return null;
    }

    /// <summary>
    /// The account's user has to connect it again: it is used no longer, and the user is told, once. For what the platform itself said of the account;
    /// a network that is down is no reason.
    /// </summary>
    /// <param name="reason">A sentence for the user, without secrets.</param>
    public Task NeedsReconnectAsync(string accountId, string reason, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        return store.WriteAsync(write => NeedsReconnectAsync(write, accountId, reason, now), cancellationToken);
    }

    /// <inheritdoc cref="NeedsReconnectAsync(string, string, CancellationToken)" />
    public static async ValueTask NeedsReconnectAsync(IWriteUnit write, string accountId, string reason, DateTimeOffset now)
    {
        if (await write.QuerySingleOrDefaultAsync<AccountRow>(Sql.Lose, new { Id = accountId, Reason = reason }).ConfigureAwait(false) is not { } row) return;

        var title = $"Connect {row.Handle} again";
        var message = $"Posts are no longer published to your {row.Platform} account {row.Handle}. {reason}";
        var data = NotificationsData.Of(row.Id, row.Platform);
        await write.AppendAsync(new AccountDisconnected(row.UserId, row.Platform, row.Id, reason, now)).ConfigureAwait(false);
        await write.AddAsync(new NewNotification(row.UserId, NotificationTypes.AccountDisconnected, title, message, data, now)).ConfigureAwait(false);
    }

    private static class Sql
    {
        public const string Usable = $"SELECT {AccountRow.Columns} FROM connected_accounts WHERE id = @Id AND status = '{AccountRow.Connected}'";

        public const string Lose = $"""
            UPDATE connected_accounts SET status = '{AccountRow.NeedsReconnect}', reason = @Reason, renew_at = NULL, version = version + 1
            WHERE id = @Id AND status = '{AccountRow.Connected}'
            RETURNING {AccountRow.Columns}
            """;
    }

    private static partial class Log
    {
        [LoggerMessage(1501, LogLevel.Error, "The secrets of the {Platform} account {AccountId} do not open: the keys in the data directory or Tidings:EncryptionKeys are not those it was connected under")]
        public static partial void Unreadable(ILogger logger, string platform, string accountId);
    }
}
