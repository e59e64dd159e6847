namespace Tidings.Server.Features.Accounts;

/// <summary>A user in an answer.</summary>
internal sealed record AccountView(string Id, string Nickname, string FullName, string? Avatar, bool IsCreator)
{
    public static AccountView Of(AccountRow row) => new(row.Id, row.Nickname, row.FullName, row.Avatar, row.IsCreator != 0);
}

/// <summary>The answer to a sign-in.</summary>
internal sealed record SignInView(AccountView User, string Token, DateTimeOffset ExpiresAt)
{
    /// <summary>Printing it shows no token.</summary>
    public override string ToString() => nameof(SignInView);
}
