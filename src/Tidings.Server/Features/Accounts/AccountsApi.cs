using Tidings.Server.Auth;

namespace Tidings.Server.Features.Accounts;

/// <summary>The routes of accounts.</summary>
internal static class AccountsApi
{
    public static IEndpointRouteBuilder MapAccounts(this IEndpointRouteBuilder app)
    {
        var auth = app.MapGroup("/api/auth").WithTags("Accounts");
        auth.MapPost("/register", Register.HandleAsync).IgnoreCredentials();
        auth.MapPost("/login", Login.HandleAsync).IgnoreCredentials();
        auth.MapPost("/logout", Logout.HandleAsync).RequireAuthorization().AllowSuspended();
        auth.MapPost("/token", IssueToken.HandleAsync).RequireAuthorization();
        auth.MapGet("/me", Me.HandleAsync).RequireAuthorization();
        return app;
    }
}
