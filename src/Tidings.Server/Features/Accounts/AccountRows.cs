using Dapper;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Accounts;

/// <summary>A user as accounts see one.</summary>
internal sealed class AccountRow
{
    public string Id { get; init; } = "";

    public string Nickname { get; init; } = "";

    public string FullName { get; init; } = "";

    public string? Avatar { get; init; }

    public string? PasswordHash { get; init; }

    public long IsCreator { get; init; }
}

/// <summary>Finds users.</summary>
internal static class AccountRows
{
    private const string Columns =
        "SELECT id AS Id, nickname AS Nickname, full_name AS FullName, avatar AS Avatar, password_hash AS PasswordHash, is_creator AS IsCreator FROM users";

    /// <summary>The user of an id, or null.</summary>
    public static Task<AccountRow?> FindByIdAsync(Store store, string id, CancellationToken cancellationToken) =>
        store.ReadAsync(connection => connection.QuerySingleOrDefaultAsync<AccountRow?>($"{Columns} WHERE id = @Id", new { Id = id }), cancellationToken);

    /// <summary>The user of a nickname or an email, in any case, or null. Only emails have an <c>@</c>.</summary>
    public static Task<AccountRow?> FindByLoginAsync(Store store, string login, CancellationToken cancellationToken)
    {
        var sql = login.Contains('@', StringComparison.Ordinal) ? $"{Columns} WHERE email_key = @Key" : $"{Columns} WHERE nickname_key = @Key";
        return store.ReadAsync(connection => connection.QuerySingleOrDefaultAsync<AccountRow?>(sql, new { Key = AccountKeys.Of(login) }), cancellationToken);
    }
}

/// <summary>How nicknames and emails are compared.</summary>
internal static class AccountKeys
{
    public static string Of(string text) => text.ToLowerInvariant();
}
