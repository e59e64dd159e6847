using Tidings.Server.Auth;
using Tidings.Server.Features.Accounts;
using Tidings.Server.Features.Moderation;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Privacy;

/// <summary>
/// Deletes the account of who asks: name, email and password at once, with every sign-in and live connection; what the user wrote follows within moments
/// (<see cref="AccountRemoval"/>). Who has a password says it, so that a borrowed page deletes nothing. The id is never anybody else's.
/// </summary>
internal static class DeleteUser
{
    private const int MaxBody = 4 * 1024;

    /// <summary>The password, of those who have one here.</summary>
    public sealed record Request(string? Password)
    {
        /// <summary>Printing it shows no password.</summary>
        public override string ToString() => nameof(Request);
    }

    public static async Task<IResult> HandleAsync(
        HttpContext http, CurrentUser user, Store store, PasswordHashing passwords, LoginThrottle throttle, TidingsOptions options, Sessions sessions, Suspensions suspensions,
        AccountRemoval removal, TimeProvider clock, CancellationToken cancellationToken)
    {
        string? password = null;
        if (http.Request.ContentLength is > 0 || http.Request.ContentType is not null)
        {
            var body = await RequestJson.ReadAsync(http.Request, PrivacyRequestJson.Strict.DeleteUser, MaxBody, withFingerprint: false, cancellationToken);
            if (body.Value is not { } request) return body.Problem!;
            password = request.Password;
        }

        if (await AccountRows.FindByIdAsync(store, user.Id, cancellationToken) is not { } row) return Problems.NotFound("user");
        if (row.PasswordHash is not null)
        {
            if (password is not { Length: > 0 and <= AccountRules.MaxPassword }) return Problems.Invalid("password", "is required.");
            if (!throttle.TryBegin(RequestAddress.Of(http, options), row.Nickname, out var retryAfter)) return RateLimits.TooMany(http, retryAfter);
            var verdict = await passwords.VerifyAsync(row.PasswordHash, password, cancellationToken);
            if (verdict == PasswordVerdict.Busy) return ErrorAnswers.Busy(http);
            if (verdict == PasswordVerdict.Wrong) return Problems.Problem(403, "invalid_credentials", "The password is wrong.");
            throttle.NotCounted(RequestAddress.Of(http, options), row.Nickname);
        }

        var now = clock.GetUtcNow();
        var name = $"deleted-{Guid.CreateVersion7(now):N}";
        await store.WriteAsync(
            async write =>
            {
                await write.ExecuteAsync(Sql.Forget, new { user.Id, Name = name });
                await write.ExecuteAsync(Sql.Close, new { user.Id, Until = SuspendUser.Forever, Now = now });
                await write.ExecuteAsync(Sql.Begin, new { user.Id, Now = now });
                Audit.Write(write, user.Id, "user.delete", $"user:{user.Id}", null, now);
            },
            cancellationToken);
        await sessions.EndAllOfAsync(user.Id, cancellationToken);
        suspensions.Suspend(user.Id, SuspendUser.Forever);
        removal.Wake();
        SessionCookie.Delete(http);
        return TypedResults.NoContent();
    }

    private static class Sql
    {
        public const string Forget = """
            UPDATE users
            SET nickname = @Name, nickname_key = @Name, full_name = '', avatar = NULL, email = NULL, email_key = NULL, password_hash = NULL, is_moderator = 0, show_online = 0
            WHERE id = @Id
            """;

        public const string Close = """
            INSERT INTO suspensions (user_id, until, reason, created_at) VALUES (@Id, @Until, 'deleted', @Now)
            ON CONFLICT (user_id) DO UPDATE SET until = excluded.until, reason = excluded.reason
            """;

        public const string Begin = "INSERT INTO account_removals (user_id, requested_at) VALUES (@Id, @Now) ON CONFLICT (user_id) DO NOTHING";
    }
}
