using Tidings.Server.Events;
using Tidings.Server.Features.Comments;
using Tidings.Server.Features.Follows;
using Tidings.Server.Features.Likes;
using Tidings.Server.Features.Media;
using Tidings.Server.Features.Posts;
using Tidings.Server.Features.Subscriptions;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Privacy;

/// <summary>
/// Removes what deleted accounts left, a few rows in a unit so that nobody waits for it: posts and comments as if their author had deleted each, likes,
/// follows, subscriptions, texts of messages, notifications, files, the events of the user's own channels. Whatever is interrupted goes on at the next start. Payments and reports stay: others need them.
/// </summary>
internal sealed class AccountRemoval : BackgroundService
{
    /// <summary>Why subscriptions end, as clients are told.</summary>
    public const string Deleted = "account_deleted";

    private const int Batch = 50;

    private readonly Store _store;
    private readonly LikeWriter _likes;
    private readonly MediaFiles _files;
    private readonly TimeProvider _clock;
    private readonly FlushLoop _loop;

    public AccountRemoval(Store store, LikeWriter likes, MediaFiles files, TimeProvider clock, ILogger<AccountRemoval> logger)
    {
        (_store, _likes, _files, _clock) = (store, likes, files, clock);
        _loop = new FlushLoop("deleted accounts", TimeSpan.FromMilliseconds(100), RemoveAsync, clock, logger);
    }

    /// <summary>Says that somebody has left.</summary>
    public void Wake() => _loop.Wake();

    /// <summary>Removes what is left of everybody who has.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        while (await _store.QueryAsync<string>(Sql.Next, new { }, cancellationToken).ConfigureAwait(false) is [var user, ..])
        {
            await EachAsync(Sql.Posts, user, post => DeletePostAsync(post, cancellationToken), cancellationToken).ConfigureAwait(false);
            await EachAsync(Sql.Comments, user, comment => DeleteCommentAsync(comment, cancellationToken), cancellationToken).ConfigureAwait(false);
            await EachAsync(Sql.Likes, user, post => UnlikeAsync(post, user, cancellationToken), cancellationToken).ConfigureAwait(false);
            await EachAsync(Sql.Following, user, creator => PartAsync(user, creator, cancellationToken), cancellationToken).ConfigureAwait(false);
            await EachAsync(Sql.Followers, user, follower => PartAsync(follower, user, cancellationToken), cancellationToken).ConfigureAwait(false);
            await EachAsync(Sql.Subscribed, user, creator => UnsubscribeAsync(user, creator, cancellationToken), cancellationToken).ConfigureAwait(false);
            await EachAsync(Sql.Subscribers, user, subscriber => UnsubscribeAsync(subscriber, user, cancellationToken), cancellationToken).ConfigureAwait(false);
            await FinishAsync(user, cancellationToken).ConfigureAwait(false);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.RunAsync(stoppingToken);

    /// <summary>Until the query finds nothing more.</summary>
    private async Task EachAsync(string sql, string user, Func<string, Task> remove, CancellationToken cancellationToken)
    {
        while (await _store.QueryAsync<string>(sql, new { User = user, Batch, Now = _clock.GetUtcNow() }, cancellationToken).ConfigureAwait(false) is { Count: > 0 } ids)
            foreach (var id in ids) await remove(id).ConfigureAwait(false);
    }

    private async Task DeletePostAsync(string id, CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        var files = await _store.WriteAsync(
            async write => await DeletePost.LockAsync(write, id) is { } post ? await DeletePost.DeleteAsync(write, _store.IsPostgres, post, now) : [],
            cancellationToken).ConfigureAwait(false);
        foreach (var file in files) _files.Delete(file);
    }

    private Task DeleteCommentAsync(string id, CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        return _store.WriteAsync(write => DeleteComment.OfAnyPostAsync(write, _store.IsPostgres, id, now), cancellationToken);
    }

    private async Task UnlikeAsync(string postId, string user, CancellationToken cancellationToken)
    {
        if (await _likes.ChangeAsync(postId, user, isLiked: false, cancellationToken).ConfigureAwait(false) is null)
            await _store.WriteAsync(async write => { await write.ExecuteAsync(Sql.DropLike, new { PostId = postId, User = user }); }, cancellationToken).ConfigureAwait(false);
    }

    private Task PartAsync(string follower, string creator, CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        return _store.WriteAsync(async write => { await FollowCreator.UnfollowIfThereAsync(write, follower, creator, now); }, cancellationToken);
    }

    private Task UnsubscribeAsync(string subscriber, string creator, CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        return _store.WriteAsync(write => SubscriptionGrants.EndAllAsync(write, subscriber, creator, Deleted, now), cancellationToken);
    }

    private async Task FinishAsync(string user, CancellationToken cancellationToken)
    {
        var files = await _store.WriteAsync(
            async write =>
            {
                foreach (var sql in Sql.Rest) await write.ExecuteAsync(sql, new { User = user });
                await write.ForgetEventsAsync(_store.IsPostgres, [EventChannels.Feed(user), EventChannels.Notifications(user), EventChannels.User(user)]);
                return await write.QueryAsync<string>(Sql.DropMedia, new { User = user });
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var file in files) _files.Delete(file);
    }

    private static class Sql
    {
        public const string Next = "SELECT user_id FROM account_removals ORDER BY requested_at LIMIT 1";
        public const string Posts = "SELECT id FROM posts WHERE author_id = @User AND deleted = 0 ORDER BY id LIMIT @Batch";
        public const string Comments = "SELECT id FROM comments WHERE author_id = @User AND deleted <> 1 ORDER BY id LIMIT @Batch";
        public const string Likes = "SELECT post_id FROM post_likes WHERE user_id = @User ORDER BY post_id LIMIT @Batch";
        public const string DropLike = "DELETE FROM post_likes WHERE post_id = @PostId AND user_id = @User";
        public const string Following = "SELECT creator_id FROM follows WHERE follower_id = @User ORDER BY creator_id LIMIT @Batch";
        public const string Followers = "SELECT follower_id FROM follows WHERE creator_id = @User ORDER BY follower_id LIMIT @Batch";

        public const string Subscribed =
            "SELECT DISTINCT creator_id FROM subscriptions WHERE user_id = @User AND status IN ('active', 'canceled') ORDER BY creator_id LIMIT @Batch";

        public const string Subscribers =
            "SELECT DISTINCT user_id FROM subscriptions WHERE creator_id = @User AND status IN ('active', 'canceled') ORDER BY user_id LIMIT @Batch";

        public const string DropMedia = "DELETE FROM media WHERE owner_id = @User RETURNING id";

        /// <summary>What nobody else hears of, and at the end the mark itself.</summary>
        public static readonly string[] Rest =
        [
            "DELETE FROM attempts WHERE target_id IN (SELECT id FROM targets WHERE user_id = @User)",
            "DELETE FROM targets WHERE user_id = @User",
            "UPDATE messages SET content = '' WHERE author_id = @User",
            "DELETE FROM notifications WHERE user_id = @User",
            "DELETE FROM muted_notifications WHERE user_id = @User",
            "DELETE FROM blocks WHERE blocker_id = @User",
            "DELETE FROM tiers WHERE creator_id = @User",
            "DELETE FROM creator_days WHERE creator_id = @User",
            "DELETE FROM connected_accounts WHERE user_id = @User",
            "DELETE FROM idempotency_keys WHERE user_id = @User",
            "DELETE FROM account_removals WHERE user_id = @User",
        ];
    }
}
