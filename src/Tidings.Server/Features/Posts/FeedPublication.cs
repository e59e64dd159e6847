using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>
/// Puts a post that its author alone knows on this server's feed: from here on it is like any other post, of this moment, so that it comes on top of
/// feeds that have been read already.
/// </summary>
internal sealed class FeedPublication(PublicPostsRate rate, PublicPostsFlush counted)
{
    /// <summary>How a post will be announced. To be asked before the unit, which may run again; <see cref="Done"/> is told afterwards.</summary>
    public (bool IsAnnounced, int CountIn) Begin() => (rate.TryAnnounce(), Random.Shared.Next(PublicPostsFlush.Rows));

    /// <summary>Publishes a post whose row is locked.</summary>
    /// <returns>The post as it is now.</returns>
    public static async ValueTask<PostRow> PublishAsync(
        IWriteUnit write, PostRow draft, (bool IsAnnounced, int CountIn) how, DateTimeOffset now, long receivedAt = 0)
    {
        var post = draft with
        {
            Status = "published",
            IsCreator = 1,
            Version = draft.Version + 1,
            CreatedAt = now.ToUnixTimeMilliseconds(),
            UpdatedAt = now.ToUnixTimeMilliseconds(),
        };
        await write.ExecuteAsync(Sql.Publish, post).ConfigureAwait(false);
        await write.ExecuteAsync(CreatePost.CountPostOfAuthor, post).ConfigureAwait(false);
        if (!how.IsAnnounced) await write.ExecuteAsync(CreatePost.CountPublicPost, new { Row = how.CountIn }).ConfigureAwait(false);
        await write.AppendAsync(new PostCreated(post.Whole(), how.IsAnnounced, now) { ReceivedAt = receivedAt }).ConfigureAwait(false);
        return post;
    }

    /// <summary>Reads and locks a post that is not deleted.</summary>
    public static ValueTask<PostRow?> LockAsync(IWriteUnit write, string postId, string me, DateTimeOffset now) =>
        write.QuerySingleOrDefaultAsync<PostRow>(Sql.Read, new { Id = postId, Me = me, NowMs = now.ToUnixTimeMilliseconds() });

    /// <summary>Says after the commit that the post is published.</summary>
    public void Done((bool IsAnnounced, int CountIn) how)
    {
        if (!how.IsAnnounced) counted.Wake();
    }

    private static class Sql
    {
        public const string Read =
            $"SELECT {PostRow.Columns} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = @Id AND p.deleted = 0 /*FOR UPDATE OF p*/";

        public const string Publish =
            "UPDATE posts SET status = 'published', version = @Version, created_at = @CreatedAt, updated_at = @UpdatedAt WHERE id = @Id";
    }
}
