using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Comments;

/// <summary>Changes what a comment says. Only its author may; that it was edited can be seen.</summary>
internal static class EditComment
{
    public sealed record Request
    {
        public string? Content { get; init; }
    }

    public static async Task<IResult> HandleAsync(
        string id, string commentId, HttpRequest http, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var body = await RequestJson.ReadAsync(http, CommentsRequestJson.Strict.EditComment, CommentRules.BodyBytes, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        var errors = CommentRules.Check(request.Content);
        if (errors.Count > 0) return Problems.Invalid(errors);

        var now = clock.GetUtcNow();
        var (found, answer) = await store.WriteAsync<(CommentRow?, CommentAnswer?)>(
            async write =>
            {
                if (await CommentedPost.LockAsync(write, id, user.Id, now) is not { } post) return (null, null);
                var old = await write.QuerySingleOrDefaultAsync<CommentRow>(Sql.Read, new { Id = commentId, PostId = id });
                if (old is null || old.AuthorId != user.Id) return (old, null);
                if (old.Content == request.Content) return (old, new CommentAnswer(old.Normalise(), post.CommentsCount));

                var after = post.After(0);
                var edited = old with
                {
                    Content = request.Content!,
                    Version = after.Version,
                    UpdatedAt = Math.Max(now.ToUnixTimeMilliseconds(), old.CreatedAt + 1), // else it would not look edited
                };
                after.Enqueue(write);
                write.Enqueue(Sql.Change, edited);
                var comment = edited.Normalise();
                await write.AppendAsync(new CommentUpdated(comment, after.CommentsCount, after.Version, post.Right, now) { ReceivedAt = receivedAt });
                return (edited, new CommentAnswer(comment, after.CommentsCount));
            },
            cancellationToken);

        if (found is null) return Problems.NotFound("comment");
        return answer is null
            ? Problems.Problem(403, "forbidden", "Only its author may change a comment.")
            : TypedResults.Json(answer, CommentsJson.Answers.CommentAnswer);
    }

    private static class Sql
    {
        public const string Read = $"""
            SELECT {CommentRow.Columns} FROM comments c JOIN users u ON u.id = c.author_id
            WHERE c.id = @Id AND c.post_id = @PostId AND c.deleted = 0
            """;

        public const string Change = "UPDATE comments SET content = @Content, updated_at = @UpdatedAt, version = @Version WHERE id = @Id";
    }
}
