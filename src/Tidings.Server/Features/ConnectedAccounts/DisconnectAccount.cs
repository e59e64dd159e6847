using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.ConnectedAccounts;

/// <summary>Disconnects an account of the user's: its secrets are gone at once. What was published there stays there.</summary>
internal static class DisconnectAccount
{
    /// <summary>The reason that clients are told.</summary>
    private const string ByUser = "disconnected by its user";

    public static async Task<IResult> HandleAsync(string id, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var isGone = await store.WriteAsync(
            async write =>
            {
                if (await write.QuerySingleOrDefaultAsync<string>(Sql.Delete, new { Id = id, UserId = user.Id }) is not { } platform) return false;
                await write.AppendAsync(new AccountDisconnected(user.Id, platform, id, ByUser, now));
                return true;
            },
            cancellationToken);
        return isGone ? TypedResults.NoContent() : Problems.NotFound("account");
    }

    private static class Sql
    {
        public const string Delete = $"DELETE FROM connected_accounts WHERE id = @Id AND user_id = @UserId AND status <> '{AccountRow.Authorizing}' RETURNING platform";
    }
}
