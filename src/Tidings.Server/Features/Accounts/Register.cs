using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Accounts;

/// <summary><c>POST /api/auth/register</c>: makes a user of this server and signs them in.</summary>
internal static class Register
{
    public sealed record Request(string? Nickname, string? Email, string? Password, string? FullName)
    {
        /// <summary>Printing it shows no password.</summary>
        public override string ToString() => nameof(Request);
    }

    public static async Task<Results<Created<SignInView>, ProblemHttpResult>> HandleAsync(
        Request request, HttpContext context, Store store, PasswordHashing passwords, SignIns signIns, TidingsOptions options, TimeProvider clock,
        CancellationToken cancellationToken)
    {
        if (!options.Auth.Registration) return Problems.Problem(403, "registration_closed", "This server takes no new accounts.");
        if (ProblemsOf(request) is { Count: > 0 } errors) return Problems.Invalid(errors);

        if (await passwords.HashAsync(request.Password!, cancellationToken) is not { } hash) return ErrorAnswers.Busy(context);

        var now = clock.GetUtcNow();
        var user = new AccountRow { Id = Guid.CreateVersion7(now).ToString("N"), Nickname = request.Nickname!, FullName = request.FullName ?? "" };
        var row = new
        {
            user.Id,
            user.Nickname,
            NicknameKey = AccountKeys.Of(user.Nickname),
            user.FullName,
            request.Email,
            EmailKey = AccountKeys.Of(request.Email!),
            PasswordHash = hash,
            Now = now.ToUnixTimeMilliseconds(),
        };

        var taken = await store.WriteAsync<string?>(
            async write =>
            {
                if (await write.ExecuteAsync(Sql.Insert, row) == 1) return null;
                return await write.QuerySingleOrDefaultAsync<string>(Sql.IdOfNickname, row) is null ? "email" : "nickname";
            },
            cancellationToken);

        if (taken is not null) return Problems.Problem(409, $"{taken}_taken", $"This {taken} is already in use.");
        return TypedResults.Created("/api/auth/me", await signIns.StartAsync(context, user, cancellationToken));
    }

    private static Dictionary<string, string[]> ProblemsOf(Request request)
    {
        var errors = new Dictionary<string, string[]>();
        Note("nickname", AccountRules.Nickname(request.Nickname));
        Note("email", AccountRules.Email(request.Email));
        Note("password", AccountRules.Password(request.Password));
        Note("fullName", AccountRules.FullName(request.FullName));
        return errors;

        void Note(string field, string? problem)
        {
            if (problem is not null) errors[field] = [problem];
        }
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO users (id, nickname, nickname_key, full_name, email, email_key, password_hash, created_at)
            VALUES (@Id, @Nickname, @NicknameKey, @FullName, @Email, @EmailKey, @PasswordHash, @Now)
            ON CONFLICT DO NOTHING
            """;

        public const string IdOfNickname = "SELECT id FROM users WHERE nickname_key = @NicknameKey";
    }
}
