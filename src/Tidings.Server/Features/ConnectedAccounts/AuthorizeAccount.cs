using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.ConnectedAccounts;

/// <summary>
/// Connects an account by its platform's own page: the user is sent there with a state, and comes back with it and a code. A state is good once, for ten
/// minutes, and for the sign-in that began it: nobody can be made to connect an account that is somebody else's.
/// </summary>
internal static class AuthorizeAccount
{
    public const string CallbackPath = "/api/accounts/callback";

    private const int MaxAtOnce = 5;
    private const int StateBytes = 32;
    private const int MaxCode = 2_000;
    private const int IdChars = 32;

    private static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(10);

    /// <summary>Begins: 202 with the address to send the user to.</summary>
    public static async Task<IResult> BeginAsync(
        HttpContext http, CurrentUser user, IAuthorizingConnector connector, ConnectRequest request, Store store, AccountSecrets secrets, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var (id, proof) = (Guid.CreateVersion7(now).ToString("N"), Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(StateBytes)));
        var callback = new Uri($"{http.Request.Scheme}://{http.Request.Host}{http.Request.PathBase}{CallbackPath}");
        var begun = await connector.BeginAsync(request, callback, $"{id}{proof}", cancellationToken);
        if (begun.Url is not { } url) return Problems.Invalid(begun.Problem!.Value.Field, begun.Problem.Value.Message);

        var kept = Credentials.Keep(("kept", begun.Kept), ("session", SignedIn.SessionIdOf(http.User)), ("callback", callback.AbsoluteUri));
        var row = new AccountRow
        {
            Id = id,
            UserId = user.Id,
            Platform = connector.Platform,
            ExternalId = DigestOf(proof),
            Handle = "",
            BaseUrl = begun.BaseUrl!.AbsoluteUri,
            Status = AccountRow.Authorizing,
            Secrets = secrets.Seal(id, kept),
            CreatedAt = now.ToUnixTimeMilliseconds(),
            RenewAt = (now + GoodFor).ToUnixTimeMilliseconds(),
        };
        await store.WriteAsync(
            async write =>
            {
                await write.ExecuteAsync(Sql.Insert, row);
                await write.ExecuteAsync(Sql.DropOldest, new { row.UserId, MaxAtOnce });
            },
            cancellationToken);
        return TypedResults.Json(
            new AuthorizationView(new AuthorizationAddress(url.AbsoluteUri, now + GoodFor)), ConnectedAccountsJson.Answers.AuthorizationView, statusCode: StatusCodes.Status202Accepted);
    }

    /// <summary>The user is back: the page shows how it ended.</summary>
    public static async Task<IResult> CallbackAsync(
        HttpContext http, CurrentUser user, string? state, string? code, Store store, AccountSecrets secrets, ConnectorCatalog connectors,
        ConnectAccount.Connecting connecting, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (state is null || state.Length <= IdChars || !state.All(static character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_'))
            return Problems.Problem(400, "invalid_state", "This address was not made by this server.");

        // Taken, so that it is good once, whatever becomes of it.
        var given = new { Id = state[..IdChars], UserId = user.Id, Digest = DigestOf(state[IdChars..]) };
        var row = await store.WriteAsync(write => write.QuerySingleOrDefaultAsync<AccountRow>(Sql.Take, given), cancellationToken);
        if (row is null || row.RenewAt <= clock.GetUtcNow().ToUnixTimeMilliseconds() || secrets.Open(row.Id, row.Secrets) is not { } opened)
            return Problems.Problem(400, "invalid_state", "This is over, was used already, or was begun by somebody else: connect the account again.");

        var kept = JsonFields.Parse(opened);
        if (kept.Text("session") != SignedIn.SessionIdOf(http.User))
            return Problems.Problem(400, "invalid_state", "This was begun in another sign-in: connect the account again.");
        if (connectors.Find(row.Platform) is not IAuthorizingConnector connector || code is not { Length: > 0 and <= MaxCode }) return Back(row, isConnected: false); // the user said no

        var answer = await connector.FinishAsync(kept.Text("kept") ?? "", new Uri(row.BaseUrl), new Uri(kept.Text("callback")!), code, cancellationToken);
        if (answer.Account is not { } account) return Back(row, isConnected: false);
        return Back(row, await connecting.KeepAsync(user.Id, row.Platform, account, cancellationToken) is not null);
    }

    private static Microsoft.AspNetCore.Http.HttpResults.RedirectHttpResult Back(AccountRow row, bool isConnected) => TypedResults.LocalRedirect($"~/feed?{(isConnected ? "connected" : "not-connected")}={row.Platform}");

    private static string DigestOf(string proof) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(proof)));

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO connected_accounts (id, user_id, platform, external_id, handle, base_url, status, secrets, created_at, renew_at)
            VALUES (@Id, @UserId, @Platform, @ExternalId, @Handle, @BaseUrl, @Status, @Secrets, @CreatedAt, @RenewAt)
            """;

        public const string DropOldest = $"""
            DELETE FROM connected_accounts WHERE user_id = @UserId AND status = '{AccountRow.Authorizing}' AND id NOT IN (
                SELECT id FROM connected_accounts WHERE user_id = @UserId AND status = '{AccountRow.Authorizing}' ORDER BY created_at DESC, id DESC LIMIT @MaxAtOnce)
            """;

        public const string Take = $"""
            DELETE FROM connected_accounts WHERE id = @Id AND user_id = @UserId AND external_id = @Digest AND status = '{AccountRow.Authorizing}'
            RETURNING {AccountRow.Columns}
            """;
    }
}
