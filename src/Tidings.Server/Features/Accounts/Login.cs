using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Accounts;

/// <summary>
/// <c>POST /api/auth/login</c>: signs in by nickname or email. Whether a name exists shows neither in the answer nor in the work done for it.
/// </summary>
internal static class Login
{
    public sealed record Request(string? Login, string? Password)
    {
        /// <summary>Printing it shows no password.</summary>
        public override string ToString() => nameof(Request);
    }

    public static async Task<Results<Ok<SignInView>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext context, Store store, PasswordHashing passwords, LoginThrottle throttle, SignIns signIns, TidingsOptions options,
        CancellationToken cancellationToken)
    {
        if (request.Login is not { Length: > 0 and <= AccountRules.MaxEmail } login)
            return Problems.Invalid("login", "must be a nickname or an email address.");
        if (request.Password is not { Length: > 0 and <= AccountRules.MaxPassword } password)
            return Problems.Invalid("password", $"is required, with at most {AccountRules.MaxPassword} characters.");

        var address = RequestAddress.Of(context, options);
        if (!throttle.TryBegin(address, login, out var retryAfter)) return RateLimits.TooMany(context, retryAfter);

        var user = await AccountRows.FindByLoginAsync(store, login, cancellationToken);
        var verdict = await passwords.VerifyAsync(user?.PasswordHash, password, cancellationToken);
        if (verdict == PasswordVerdict.Busy)
        {
            throttle.NotCounted(address, login);
            return ErrorAnswers.Busy(context);
        }

        if (user is null || verdict == PasswordVerdict.Wrong)
            return Problems.Problem(401, "invalid_credentials", "The name or the password is wrong.");

        throttle.NotCounted(address, login);
        if (verdict == PasswordVerdict.RightButOld && await passwords.HashAsync(password, cancellationToken) is { } hash)
            await store.WriteAsync(write => write.ExecuteAsync(Sql.SetHash, new { user.Id, Hash = hash, Old = user.PasswordHash }), cancellationToken);

        return TypedResults.Ok(await signIns.StartAsync(context, user, cancellationToken));
    }

    private static class Sql
    {
        public const string SetHash = "UPDATE users SET password_hash = @Hash WHERE id = @Id AND password_hash = @Old";
    }
}
