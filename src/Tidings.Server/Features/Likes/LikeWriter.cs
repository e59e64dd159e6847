using System.Text.Json;
using Tidings.Server.Features.Access;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Likes;

/// <summary>
/// Writes likes. Those of one post that arrive while others of it are being written go together in one unit, so a post that thousands like
/// at once costs a few units, and its row is not what they queue for. The first of a quiet post goes at once. Safe for all threads.
/// </summary>
internal sealed class LikeWriter(Store store, CounterFlush counters, LikeNotices notices, TimeProvider clock)
{
    private const int MostInUnit = 500;
    private const int MostWaiting = 20_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<Wish>> _waiting = new(StringComparer.Ordinal); // of the posts that are being written
    private int _count;

    /// <summary>Likes a post or takes the like back.</summary>
    /// <returns>How many like it now; null if there is no such post for the user.</returns>
    /// <exception cref="StoreUnavailableException">The store is, or too many wait.</exception>
    public Task<long?> ChangeAsync(string postId, string userId, bool isLiked, CancellationToken cancellationToken)
    {
        var wish = new Wish(userId, isLiked);
        var isFirst = false;
        lock (_gate)
        {
            if (_count >= MostWaiting) throw new StoreUnavailableException($"{MostWaiting} likes are waiting already.");
            _count++;
            if (_waiting.TryGetValue(postId, out var others)) others.Add(wish);
            else (_waiting[postId], isFirst) = ([], true);
        }

        if (isFirst) _ = RunAsync(postId, [wish]);
        return wish.Done.Task.WaitAsync(cancellationToken);
    }

    private async Task RunAsync(string postId, List<Wish>? group)
    {
        for (; group is not null; group = Next(postId, group.Count))
        {
            try
            {
                var written = group;
                var now = clock.GetUtcNow();
                var counts = await store.WriteAsync(write => WriteAsync(write, postId, written, now), CancellationToken.None).ConfigureAwait(false);
                for (var index = 0; index < written.Count; index++) written[index].Done.TrySetResult(counts[index]);
                if (Array.TrueForAll(counts, count => count is null)) continue;
                counters.Wake();
                notices.Wake();
            }
#pragma warning disable CA1031 // Whatever it is, it belongs to those who wait for the answer.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                foreach (var wish in group) wish.Done.TrySetException(exception);
            }
        }
    }

    /// <summary>What has come meanwhile; null if nothing has, and then the post is quiet.</summary>
    private List<Wish>? Next(string postId, int done)
    {
        lock (_gate)
        {
            _count -= done;
            var waiting = _waiting[postId];
            if (waiting.Count == 0)
            {
                _waiting.Remove(postId);
                return null;
            }

            _waiting[postId] = waiting.Count > MostInUnit ? waiting[MostInUnit..] : [];
            return waiting.Count > MostInUnit ? waiting[..MostInUnit] : waiting;
        }
    }

    /// <summary>Does as if one came after the other: each gets the count of its place, or null if the post is hidden from the user.</summary>
    private static async ValueTask<long?[]> WriteAsync(IWriteUnit write, string postId, List<Wish> group, DateTimeOffset now)
    {
        var counts = new long?[group.Count];
        if (await write.QuerySingleOrDefaultAsync<Post>(Sql.Lock, new { PostId = postId }) is not { } post) return counts;

        var users = JsonSerializer.Serialize(group.Select(wish => wish.UserId).Distinct(StringComparer.Ordinal));
        var blocked = (await write.QueryAsync<string>(Sql.Blocked, new { post.AuthorId, Users = users })).ToHashSet(StringComparer.Ordinal);
        var before = (await write.QueryAsync<string>(Sql.Likers, new { PostId = postId, Users = users })).ToHashSet(StringComparer.Ordinal);
        var likers = before.ToHashSet(StringComparer.Ordinal);
        var (likes, unlikes) = (0L, 0L);
        Wish? latest = null;
        for (var index = 0; index < group.Count; index++)
        {
            var wish = group[index];
            if (PostAccess.Of(FactsFor(wish.UserId)) == PostView.Hidden) continue;
            if (wish.IsLiked ? likers.Add(wish.UserId) : likers.Remove(wish.UserId))
            {
                latest = wish;
                if (wish.IsLiked) likes++;
                else unlikes++;
            }

            counts[index] = post.LikesCount + likes - unlikes;
        }

        if (latest is null) return counts;
        var added = likers.Except(before, StringComparer.Ordinal).ToList();
        var removed = before.Except(likers, StringComparer.Ordinal).ToList();
        if (removed.Count > 0) write.Enqueue(Sql.Remove, new { PostId = postId, Users = JsonSerializer.Serialize(removed) });
        if (added.Count > 0) write.Enqueue(Sql.Add, new { PostId = postId, Users = JsonSerializer.Serialize(added), Now = now });
        write.Enqueue(Sql.Count, new { PostId = postId, By = likes - unlikes, Changes = likes + unlikes });
        write.Enqueue(Sql.Mark, new { PostId = postId, Likes = likes, Unlikes = unlikes, latest.UserId, LatestLiked = latest.IsLiked ? 1L : 0L });

        var told = group.Where(wish => wish.IsLiked && wish.UserId != post.AuthorId && likers.Contains(wish.UserId) && !before.Contains(wish.UserId))
            .Select(wish => wish.UserId).Distinct(StringComparer.Ordinal).TakeLast(Notifications.Notifications.Named).ToList();
        if (told.Count > 0) write.Enqueue(Sql.MarkNotice, new { PostId = postId, Likers = JsonSerializer.Serialize(told) });
        return counts;

        // Whether it is locked makes no difference here: who sees a preview may like it.
        PostFacts FactsFor(string userId) => new() { IsPublished = true, IsAuthor = userId == post.AuthorId, IsBlocked = blocked.Contains(userId) };
    }

    private sealed record Post(string AuthorId, long LikesCount);

    private sealed class Wish(string userId, bool isLiked)
    {
        public string UserId => userId;

        public bool IsLiked => isLiked;

        public TaskCompletionSource<long?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private static class Sql
    {
        public const string Lock = """
            SELECT author_id AS AuthorId, likes_count AS LikesCount FROM posts
            WHERE id = @PostId AND deleted = 0 AND status = 'published' /*FOR UPDATE*/
            """;

        public const string Blocked = """
            SELECT blocked_id FROM blocks WHERE blocker_id = @AuthorId AND blocked_id IN (SELECT value FROM json_each(@Users))
            UNION SELECT blocker_id FROM blocks WHERE blocked_id = @AuthorId AND blocker_id IN (SELECT value FROM json_each(@Users))
            """;

        public const string Likers = "SELECT user_id FROM post_likes WHERE post_id = @PostId AND user_id IN (SELECT value FROM json_each(@Users))";

        public const string Remove = "DELETE FROM post_likes WHERE post_id = @PostId AND user_id IN (SELECT value FROM json_each(@Users))";

        public const string Add = """
            INSERT INTO post_likes (post_id, user_id, created_at)
            SELECT @PostId, value, @Now FROM json_each(@Users) WHERE true
            ON CONFLICT (post_id, user_id) DO NOTHING
            """;

        public const string Count = "UPDATE posts SET likes_count = likes_count + @By, version = version + @Changes WHERE id = @PostId";

        public const string Mark = """
            INSERT INTO pending_counters (post_id, likes, unlikes, latest_user, latest_liked)
            VALUES (@PostId, @Likes, @Unlikes, @UserId, @LatestLiked)
            ON CONFLICT (post_id) DO UPDATE
            SET likes = pending_counters.likes + excluded.likes, unlikes = pending_counters.unlikes + excluded.unlikes,
                latest_user = excluded.latest_user, latest_liked = excluded.latest_liked
            """;

        public const string MarkNotice =
            "INSERT INTO pending_like_notices (post_id, likers) VALUES (@PostId, @Likers) ON CONFLICT (post_id) DO UPDATE SET likers = excluded.likers";
    }
}
