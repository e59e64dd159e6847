using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Access;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>
/// Publishes a draft: from here on it is like any other post, of this moment, so that it comes on top of feeds that have been read already.
/// Asked twice it is done once. Whose draft it is not knows of none.
/// </summary>
internal static class PublishDraft
{
    public static async Task<IResult> HandleAsync(
        string id, CurrentUser author, Store store, PublicPostsRate rate, PublicPostsFlush counted, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var now = clock.GetUtcNow();
        var isAnnounced = rate.TryAnnounce();
        var countIn = new { Row = Random.Shared.Next(PublicPostsFlush.Rows) };
        var (row, hasChanged) = await store.WriteAsync<(PostRow?, bool)>(
            async write =>
            {
                var draft = await write.QuerySingleOrDefaultAsync<PostRow>(Sql.Read, new { Id = id, Me = author.Id, NowMs = now.ToUnixTimeMilliseconds() });
                if (draft is null || draft.AuthorId != author.Id || draft.Status != "draft") return (draft, false);

                var post = draft with
                {
                    Status = "published",
                    IsCreator = 1,
                    Version = draft.Version + 1,
                    CreatedAt = now.ToUnixTimeMilliseconds(),
                    UpdatedAt = now.ToUnixTimeMilliseconds(),
                };
                await write.ExecuteAsync(Sql.Publish, post);
                await write.ExecuteAsync(CreatePost.CountPostOfAuthor, post);
                if (!isAnnounced) await write.ExecuteAsync(CreatePost.CountPublicPost, countIn);
                await write.AppendAsync(new PostCreated(post.Whole(), isAnnounced, now) { ReceivedAt = receivedAt });
                return (post, true);
            },
            cancellationToken);

        if (row is null || row.View() == PostView.Hidden) return Problems.NotFound("post");
        if (row.AuthorId != author.Id) return Problems.Problem(403, "forbidden", "Only its author may publish a post.");
        if (hasChanged && !isAnnounced) counted.Wake();
        return TypedResults.Json(new PostChanged(true, row.Whole()), PostsJson.Answers.PostChanged);
    }

    private static class Sql
    {
        public const string Read =
            $"SELECT {PostRow.Columns} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = @Id AND p.deleted = 0 /*FOR UPDATE OF p*/";

        public const string Publish =
            "UPDATE posts SET status = 'published', version = @Version, created_at = @CreatedAt, updated_at = @UpdatedAt WHERE id = @Id";
    }
}
