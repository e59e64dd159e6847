using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Accounts;

/// <summary><c>GET /api/auth/me</c>: who is signed in.</summary>
internal static class Me
{
    public sealed record Answer(AccountView User);

    public static async Task<Results<Ok<Answer>, ProblemHttpResult>> HandleAsync(CurrentUser user, Store store, CancellationToken cancellationToken) =>
        await AccountRows.FindByIdAsync(store, user.Id, cancellationToken) is { } row
            ? TypedResults.Ok(new Answer(AccountView.Of(row)))
            : Problems.Problem(401, "unauthorized", "This account does not exist any more.");
}
