using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Moderation;

/// <summary>
/// Suspends a user until a moment, or lifts it. Their connections end at once, on every node, and none of their credentials opens anything until then;
/// what they posted stays as it is.
/// </summary>
internal static class SuspendUser
{
    /// <summary>As good as for ever: the year 9000.</summary>
    public static readonly DateTimeOffset Forever = new(9000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Until when, for ever if that is left out; and why.</summary>
    public sealed record Request(DateTimeOffset? Until, string? Note);

    public static async Task<IResult> SuspendAsync(
        string id, HttpContext http, Suspensions suspensions, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (request, problem) = await ModerationRules.ReadAsync(http.Request, ModerationRequestJson.Strict.SuspendUser, static body => body.Note, cancellationToken);
        if (problem is not null) return problem;

        var (now, actor) = (clock.GetUtcNow(), Moderators.ActorOf(http));
        var until = request?.Until ?? Forever;
        if (until <= now || until > Forever) return Problems.Invalid("until", "This must be a moment in the future.");
        if (id == actor) return Problems.Problem(422, "self_suspension", "Nobody can suspend themselves.");

        var isThere = await store.WriteAsync(
            async write =>
            {
                if (await write.ExecuteAsync(Sql.Put, new { Id = id, Until = until, Reason = request?.Note ?? "", Now = now }) == 0) return false;
                Audit.Write(write, actor, "user.suspend", $"user:{id}", $"until {until:yyyy-MM-dd'T'HH:mm:ss'Z'} {request?.Note}".Trim(), now);
                return true;
            },
            cancellationToken);
        if (!isThere) return Problems.NotFound("user");
        suspensions.Suspend(id, until);
        return TypedResults.NoContent();
    }

    public static async Task<IResult> LiftAsync(string id, HttpContext http, Suspensions suspensions, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (now, actor) = (clock.GetUtcNow(), Moderators.ActorOf(http));
        await store.WriteAsync(
            async write =>
            {
                if (await write.ExecuteAsync(Sql.Remove, new { Id = id }) > 0) Audit.Write(write, actor, "user.lift", $"user:{id}", null, now);
            },
            cancellationToken);
        suspensions.Lift(id);
        return TypedResults.NoContent();
    }

    private static class Sql
    {
        public const string Put = """
            INSERT INTO suspensions (user_id, until, reason, created_at)
            SELECT id, @Until, @Reason, @Now FROM users WHERE id = @Id
            ON CONFLICT (user_id) DO UPDATE SET until = excluded.until, reason = excluded.reason, created_at = excluded.created_at
            """;

        public const string Remove = "DELETE FROM suspensions WHERE user_id = @Id";
    }
}
