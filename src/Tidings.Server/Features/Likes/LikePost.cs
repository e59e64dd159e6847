using System.Text.Json.Serialization;
using Tidings.Server.Auth;
using Tidings.Server.Features.Access;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Likes;

/// <summary>
/// Likes a post that the user may know of, or takes the like back. Asked twice it is done once. The event is left to <see cref="CounterFlush"/>: the transaction
/// only marks the post, so that a thousand likes are not a thousand events.
/// </summary>
internal static class LikePost
{
    public static Task<IResult> LikeAsync(
        string id, CurrentUser user, Store store, CounterFlush counters, TimeProvider clock, CancellationToken cancellationToken) =>
        ChangeAsync(id, user.Id, isLiked: true, store, counters, clock, cancellationToken);

    public static Task<IResult> UnlikeAsync(
        string id, CurrentUser user, Store store, CounterFlush counters, TimeProvider clock, CancellationToken cancellationToken) =>
        ChangeAsync(id, user.Id, isLiked: false, store, counters, clock, cancellationToken);

    private static async Task<IResult> ChangeAsync(
        string postId, string userId, bool isLiked, Store store, CounterFlush counters, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var (likes, hasChanged) = await store.WriteAsync<(long?, bool)>(
            async write =>
            {
                var post = await write.QuerySingleOrDefaultAsync<LikedPost>(Sql.Read, new { PostId = postId, Me = userId, NowMs = now.ToUnixTimeMilliseconds() });
                if (post is null || post.View() == PostView.Hidden) return (null, false);

                var like = new { PostId = postId, UserId = userId, Now = now };
                if (await write.ExecuteAsync(isLiked ? Sql.Like : Sql.Unlike, like) == 0) return (post.LikesCount, false);

                var change = new { PostId = postId, UserId = userId, By = isLiked ? 1 : -1, Likes = isLiked ? 1 : 0, Unlikes = isLiked ? 0 : 1 };
                var count = await write.QuerySingleOrDefaultAsync<long?>(Sql.Count, change); // the post before its mark: as everybody who takes both
                await write.ExecuteAsync(Sql.Mark, change);
                return (count, true);
            },
            cancellationToken);

        if (likes is not { } count) return Problems.NotFound("post");
        if (hasChanged) counters.Wake();
        return TypedResults.Json(new LikesAnswer(count, isLiked), LikesJson.Default.LikesAnswer);
    }

    private sealed record LikedPost : PostFactsRow
    {
        public long LikesCount { get; init; }
    }

    private static class Sql
    {
        public const string Read =
            $"SELECT p.likes_count AS LikesCount, {PostFacts.Columns} FROM posts p WHERE p.id = @PostId AND p.deleted = 0 AND p.status = 'published'";

        public const string Like = "INSERT INTO post_likes (post_id, user_id, created_at) VALUES (@PostId, @UserId, @Now) ON CONFLICT (post_id, user_id) DO NOTHING";

        public const string Unlike = "DELETE FROM post_likes WHERE post_id = @PostId AND user_id = @UserId";

        public const string Mark = """
            INSERT INTO pending_counters (post_id, likes, unlikes, latest_user, latest_liked)
            VALUES (@PostId, @Likes, @Unlikes, @UserId, @Likes)
            ON CONFLICT (post_id) DO UPDATE
            SET likes = pending_counters.likes + excluded.likes, unlikes = pending_counters.unlikes + excluded.unlikes,
                latest_user = excluded.latest_user, latest_liked = excluded.latest_liked
            """;

        public const string Count = "UPDATE posts SET likes_count = likes_count + @By, version = version + 1 WHERE id = @PostId RETURNING likes_count";
    }
}

/// <summary>How many like the post now, and whether the user does.</summary>
internal sealed record LikesAnswer(long LikesCount, bool Liked);

/// <summary>The shape of the likes' answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LikesAnswer))]
internal sealed partial class LikesJson : JsonSerializerContext;
