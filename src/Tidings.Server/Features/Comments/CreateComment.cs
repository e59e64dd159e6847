using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Analytics;
using Tidings.Server.Features.Notifications;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Comments;

/// <summary>
/// Comments a post, or replies to a comment: the comment, the post's count, the key of the request and the event, or none of them.
/// </summary>
internal static class CreateComment
{
    public sealed record Request
    {
        public string? Content { get; init; }

        /// <summary>The comment that it replies to, which itself replies to none.</summary>
        public string? ParentId { get; init; }
    }

    public static async Task<IResult> HandleAsync(
        string id, HttpRequest http, CurrentUser author, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var key = IdempotencyKeys.Read(http, out var problem);
        if (problem is not null) return problem;

        var body = await RequestJson.ReadAsync(http, CommentsRequestJson.Strict.CreateComment, CommentRules.BodyBytes, key is not null, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        var errors = CommentRules.Check(request.Content);
        if (request.ParentId is { Length: > 0 } parent && !ChannelName.IsId(parent)) errors["parentId"] = ["This is not the id of a comment."];
        if (errors.Count > 0) return Problems.Invalid(errors);

        var now = clock.GetUtcNow();
        var keyed = new KeyedRequest(author.Id, key, body.Fingerprint, now);
        var comment = new CommentRow
        {
            Id = Guid.CreateVersion7(now).ToString("N"),
            PostId = id,
            ParentId = request.ParentId ?? "",
            AuthorId = author.Id,
            CreatedAt = now.ToUnixTimeMilliseconds(),
            UpdatedAt = now.ToUnixTimeMilliseconds(),
            Content = request.Content!,
        };

        var done = await store.WriteAsync(
            async write =>
            {
                if (await keyed.FindAsync(write) is { } earlier) return new Outcome(First: earlier);
                if (await CommentedPost.LockAsync(write, id, author.Id, now) is not { } post) return new Outcome(Refusal: Refusal.NoPost);
                if (await write.QuerySingleOrDefaultAsync<Author>(Sql.Author, comment) is not { } by) return new Outcome(Refusal: Refusal.NoAuthor);
                var parentAuthor = comment.ParentId.Length > 0 ? await write.QuerySingleOrDefaultAsync<string>(Sql.Parent, comment) : "";
                if (parentAuthor is null) return new Outcome(Refusal: Refusal.NoParent);

                var after = post.After(1);
                var row = comment with
                {
                    Place = after.Version,
                    Version = after.Version,
                    Nickname = by.Nickname,
                    FullName = by.FullName,
                    Avatar = by.Avatar,
                    IsCreator = by.IsCreator,
                };
                var written = row.Normalise();
                var answer = JsonSerializer.SerializeToUtf8Bytes(new CommentAnswer(written, after.CommentsCount), CommentsJson.Answers.CommentAnswer);
                if (await keyed.KeepAsync(write, StatusCodes.Status201Created, answer, null) is { } first) return new Outcome(First: first);

                after.Enqueue(write);
                write.Enqueue(Sql.Insert, row);
                if (row.ParentId.Length > 0) write.Enqueue(Sql.CountReply, row);
                CreatorDays.CountComments(write, post.AuthorId, 1, now);
                await write.AppendAsync(new CommentAdded(written, after.CommentsCount, after.Version, post.Right, now) { ReceivedAt = receivedAt });
                await NotifyAsync(write, written, post.AuthorId, parentAuthor, now);
                return new Outcome(Answer: answer);
            },
            cancellationToken);

        if (done.First is { } repeated) return keyed.Repeat(repeated);
        return done.Refusal switch
        {
            Refusal.NoPost => Problems.NotFound("post"),
            Refusal.NoAuthor => Problems.Problem(401, "unknown_user", "This account does not exist any more."),
            Refusal.NoParent => Problems.Problem(422, "invalid_parent", "A reply's parent is a comment of the same post that is there and replies to none itself."),
            _ => new JsonAnswer(StatusCodes.Status201Created, done.Answer!),
        };
    }

    /// <summary>The author of the post is told, and who is replied to: once, if they are the same.</summary>
    private static async ValueTask NotifyAsync(IWriteUnit write, NormalisedComment comment, string postAuthor, string parentAuthor, DateTimeOffset now)
    {
        var by = comment.Author!;
        var data = NotificationsJson.Write(new CommentData(comment.PostId, comment.Id, comment.ParentId, by), NotificationsJson.Answers.CommentData);
        var told = new List<NewNotification>(2);
        if (parentAuthor.Length > 0)
            told.Add(new(parentAuthor, NotificationTypes.ReplyComment, "New reply", $"{by.Nickname} replied to your comment", data, now) { ActorId = by.Id });
        if (postAuthor != parentAuthor)
            told.Add(new(postAuthor, NotificationTypes.CommentPost, "New comment", $"{by.Nickname} commented on your post", data, now) { ActorId = by.Id });
        foreach (var one in told.OrderBy(one => one.UserId, StringComparer.Ordinal)) await write.AddAsync(one);
    }

    private enum Refusal
    {
        None,
        NoPost,
        NoAuthor,
        NoParent,
    }

    private readonly record struct Outcome(byte[]? Answer = null, FirstAnswer? First = null, Refusal Refusal = Refusal.None);

    private sealed record Author(string Nickname, string? FullName, string? Avatar, long IsCreator);

    private static class Sql
    {
        public const string Author =
            "SELECT nickname AS Nickname, full_name AS FullName, avatar AS Avatar, is_creator AS IsCreator FROM users WHERE id = @AuthorId";

        public const string Parent = "SELECT author_id FROM comments WHERE id = @ParentId AND post_id = @PostId AND parent_id = '' AND deleted = 0";

        public const string Insert = """
            INSERT INTO comments (id, post_id, parent_id, author_id, place, version, created_at, updated_at, deleted, replies_count, content)
            VALUES (@Id, @PostId, @ParentId, @AuthorId, @Place, @Version, @CreatedAt, @UpdatedAt, 0, 0, @Content)
            """;

        public const string CountReply = "UPDATE comments SET replies_count = replies_count + 1 WHERE id = @ParentId";
    }
}
