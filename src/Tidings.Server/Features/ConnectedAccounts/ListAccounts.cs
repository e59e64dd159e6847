using Tidings.Server.Auth;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.ConnectedAccounts;

/// <summary>The accounts that a user has connected, in the order in which they were.</summary>
internal static class ListAccounts
{
    public static async Task<IResult> HandleAsync(CurrentUser user, Store store, CancellationToken cancellationToken)
    {
        var rows = await store.QueryAsync<AccountRow>(Sql.Own, new { UserId = user.Id }, cancellationToken);
        return TypedResults.Json(new AccountList([.. rows.Select(static row => row.View())]), ConnectedAccountsJson.Answers.AccountList);
    }

    private static class Sql
    {
        public const string Own =
            $"SELECT {AccountRow.Columns} FROM connected_accounts WHERE user_id = @UserId AND status <> '{AccountRow.Authorizing}' ORDER BY created_at, id";
    }
}
