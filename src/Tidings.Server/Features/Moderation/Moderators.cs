using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Moderation;

/// <summary>
/// Who may moderate: users whom a backend has made moderators, and backends themselves. It is looked up at each request, so that taking it
/// back holds at once.
/// </summary>
internal static class Moderators
{
    /// <summary>Lets nobody else through to the endpoints of a group.</summary>
    public static async ValueTask<object?> FilterAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (SignedIn.IsBackend(http.User)) return await next(context);
        var store = http.RequestServices.GetRequiredService<Store>();
        var isModerator = SignedIn.UserIdOf(http.User) is { } user
            && (await store.QueryAsync<long>(Sql.IsModerator, new { Id = user }, http.RequestAborted)).Any();
        return isModerator ? await next(context) : Problems.Problem(403, "forbidden", "This is for moderators.");
    }

    /// <summary>Who acts; empty for a backend.</summary>
    public static string ActorOf(HttpContext http) => SignedIn.UserIdOf(http.User) ?? "";

    /// <summary>Makes a user a moderator.</summary>
    public static Task<IResult> AddAsync(string id, Store store, TimeProvider clock, CancellationToken cancellationToken) => SetAsync(id, 1, store, clock, cancellationToken);

    /// <summary>Takes it back.</summary>
    public static Task<IResult> RemoveAsync(string id, Store store, TimeProvider clock, CancellationToken cancellationToken) => SetAsync(id, 0, store, clock, cancellationToken);

    private static async Task<IResult> SetAsync(string id, int isModerator, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var isThere = await store.WriteAsync(
            async write =>
            {
                if (await write.ExecuteAsync(Sql.Set, new { Id = id, Is = isModerator }) == 0) return false;
                Audit.Write(write, "", isModerator == 1 ? "moderator.add" : "moderator.remove", $"user:{id}", null, now);
                return true;
            },
            cancellationToken);
        return isThere ? TypedResults.NoContent() : Problems.NotFound("user");
    }

    private static class Sql
    {
        public const string IsModerator = "SELECT is_moderator FROM users WHERE id = @Id AND is_moderator = 1";
        public const string Set = "UPDATE users SET is_moderator = @Is WHERE id = @Id";
    }
}
