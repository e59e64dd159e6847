using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.ConnectedAccounts;

/// <summary>
/// Connects an account on another platform: the platform is asked whether the credentials are good, then they are kept, encrypted. Connected again it is
/// the same account with new credentials, which heals one that had to be connected again.
/// </summary>
internal static class ConnectAccount
{
    private const int MaxBody = 16 * 1024;
    private const int MaxAccounts = 50;
    private const int MaxHandle = 200;
    private const int MaxUrl = FieldRules.UrlChars;
    private const int Tries = 3;

    /// <summary>The platform, what it asks for, and, where there are many of the kind, which server.</summary>
    public sealed record Request(string? Platform, string? Handle, JsonElement? Credentials, string? BaseUrl)
    {
        /// <summary>Printing it shows no credentials.</summary>
        public override string ToString() => nameof(Request);
    }

    public static async Task<IResult> HandleAsync(
        HttpContext http, CurrentUser user, ConnectorCatalog connectors, OutgoingHttp outgoing, ConnectLimit limit, Connecting connecting, Store store, AccountSecrets secrets,
        TimeProvider clock, CancellationToken cancellationToken)
    {
        var body = await RequestJson.ReadAsync(http.Request, ConnectedAccountsRequestJson.Strict.ConnectAccount, MaxBody, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;

        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var connector = connectors.Find(request.Platform);
        if (connector is null) errors["platform"] = [$"This must be one of {string.Join(", ", connectors.Platforms)}."];
        FieldRules.Text("handle", request.Handle, MaxHandle, errors);
        if (request.Handle?.Any(char.IsControl) == true) errors["handle"] = ["This has characters that no name has."];
        if (request.Credentials is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null) }) errors["credentials"] = ["This must be an object."];
        var baseUrl = BaseUrlOf(request.BaseUrl, outgoing, errors);
        if (errors.Count > 0) return Problems.Invalid(errors);
        if (!limit.TryTake(user.Id, out var retryAfter)) return RateLimits.TooMany(http, retryAfter);

        var asked = new ConnectRequest(request.Handle is { Length: > 0 } handle ? handle.Trim() : null, baseUrl, request.Credentials ?? default);
        if (connector is IAuthorizingConnector authorizing && authorizing.WantsAuthorization(asked))
            return await AuthorizeAccount.BeginAsync(http, user, authorizing, asked, store, secrets, clock, cancellationToken);

        var answer = await connector!.ConnectAsync(asked, cancellationToken);
        if (answer.Account is not { } account) return Problems.Invalid(answer.Problem!.Value.Field, answer.Problem.Value.Message);
        return await connecting.KeepAsync(user.Id, connector.Platform, account, cancellationToken) is { } kept
            ? TypedResults.Json(new AccountAnswer(kept, answer.ShownOnce), ConnectedAccountsJson.Answers.AccountAnswer, statusCode: StatusCodes.Status201Created)
            : TooMany();
    }

    public static ProblemHttpResult TooMany() => Problems.Problem(422, "too_many_accounts", $"A user may connect at most {MaxAccounts} accounts.");

    private static Uri? BaseUrlOf(string? text, OutgoingHttp outgoing, Dictionary<string, string[]> errors)
    {
        if (string.IsNullOrEmpty(text)) return null;
        if (text.Length > MaxUrl || !Uri.TryCreate(text, UriKind.Absolute, out var url)) errors["baseUrl"] = ["This must be a whole address such as https://social.example."];
        else if (url.Query.Length > 0 || url.Fragment.Length > 0) errors["baseUrl"] = ["This must be an address without a query."];
        else if (outgoing.ProblemOf(url) is { } problem) errors["baseUrl"] = [problem];
        else return url;
        return null;
    }

    /// <summary>How often one user may have a platform asked: each request goes out to where the user says.</summary>
    internal sealed class ConnectLimit(TimeProvider clock)
    {
        private const double PerSecond = 0.2;
        private const int Burst = 20;

        private readonly TokenBuckets<string> _users = new(PerSecond, Burst, clock);

        public bool TryTake(string userId, out TimeSpan retryAfter) => _users.TryTake(userId, out retryAfter);
    }

    /// <summary>Keeps accounts that their platforms know.</summary>
    internal sealed class Connecting(Store store, AccountSecrets secrets, TimeProvider clock)
    {
        /// <summary>Keeps an account, new or again; null if the user has too many.</summary>
        public async Task<AccountView?> KeepAsync(string userId, string platform, NewAccount account, CancellationToken cancellationToken)
        {
            for (var attempt = 1; ; attempt++)
            {
                var now = clock.GetUtcNow();
                var key = new { UserId = userId, Platform = platform, BaseUrl = account.BaseUrl.AbsoluteUri, account.ExternalId };
                var known = await store.QueryAsync<string>(Sql.Known, key, cancellationToken);
                var id = known is [var one] ? one : Guid.CreateVersion7(now).ToString("N");
                var row = new AccountRow
                {
                    Id = id,
                    UserId = userId,
                    Platform = platform,
                    ExternalId = account.ExternalId,
                    Handle = account.Handle.Length <= MaxHandle ? account.Handle : account.Handle[..MaxHandle],
                    BaseUrl = account.BaseUrl.AbsoluteUri,
                    Status = AccountRow.Connected,
                    Secrets = secrets.Seal(id, account.Secrets), // outside the unit: the keys may be in the database
                    CreatedAt = now.ToUnixTimeMilliseconds(),
                    RenewAt = AccountRenewal.RenewAt(now, account.ExpiresAt)?.ToUnixTimeMilliseconds(),
                };
                var (kept, isFull) = await store.WriteAsync(write => KeepAsync(write, row, isKnown: known.Count > 0, now), cancellationToken);
                if (kept is not null || isFull) return kept;
                if (attempt == Tries) throw new InvalidOperationException("An account was connected and disconnected again and again at once.");
            }
        }

        /// <summary>Null if the same account came or went meanwhile.</summary>
        private static async ValueTask<(AccountView? Kept, bool IsFull)> KeepAsync(IWriteUnit write, AccountRow row, bool isKnown, DateTimeOffset now)
        {
            if (!isKnown && await write.QuerySingleOrDefaultAsync<long>(Sql.Count, new { row.UserId }) >= MaxAccounts) return (null, true);
            if (await write.QuerySingleOrDefaultAsync<AccountRow>(isKnown ? Sql.Heal : Sql.Insert, row) is not { } kept) return (null, false);
            await write.AppendAsync(new AccountConnected(row.UserId, row.Platform, row.Id, now));
            return (kept.View(), false);
        }

        private static class Sql
        {
            public const string Known =
                "SELECT id FROM connected_accounts WHERE user_id = @UserId AND platform = @Platform AND base_url = @BaseUrl AND external_id = @ExternalId";

            public const string Count = $"SELECT COUNT(*) FROM connected_accounts WHERE user_id = @UserId AND status <> '{AccountRow.Authorizing}'";

            public const string Insert = $"""
                INSERT INTO connected_accounts (id, user_id, platform, external_id, handle, base_url, status, secrets, created_at, renew_at)
                VALUES (@Id, @UserId, @Platform, @ExternalId, @Handle, @BaseUrl, @Status, @Secrets, @CreatedAt, @RenewAt)
                ON CONFLICT (user_id, platform, base_url, external_id) DO NOTHING
                RETURNING {AccountRow.Columns}
                """;

            // A renewal that is under way must not write its tokens over these: the version tells it.
            public const string Heal = $"""
                UPDATE connected_accounts
                SET handle = @Handle, status = @Status, reason = '', secrets = @Secrets, renew_at = @RenewAt, renewal_until = 0, version = version + 1
                WHERE id = @Id
                RETURNING {AccountRow.Columns}
                """;
        }
    }
}
