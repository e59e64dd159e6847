using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Moderation;

/// <summary>
/// Reports what a user sees and others should not have to: a post, a comment, a message to them, or a user. Reported again while the first
/// report is open it is one report.
/// </summary>
internal static class CreateReport
{
    private static readonly string[] Reasons = ["spam", "abuse", "violence", "nudity", "illegal", "impersonation", "other"];

    /// <summary>One of the four ids, a reason, and a note.</summary>
    public sealed record Request(string? PostId, string? CommentId, string? MessageId, string? UserId, string? Reason, string? Note);

    public static async Task<IResult> HandleAsync(HttpRequest http, CurrentUser reporter, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var body = await RequestJson.ReadAsync(http, ModerationRequestJson.Strict.CreateReport, ModerationRules.BodyBytes, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;

        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        var named = new[] { ("post", request.PostId), ("comment", request.CommentId), ("message", request.MessageId), ("user", request.UserId) }.Where(static one => one.Item2 is not null).ToList();
        if (named.Count != 1) errors["postId"] = ["Name one of postId, commentId, messageId and userId."];
        else if (!ChannelName.IsId(named[0].Item2)) errors[$"{named[0].Item1}Id"] = ["This is not an id."];
        if (!Reasons.Contains(request.Reason, StringComparer.Ordinal)) errors["reason"] = [$"This must be one of {string.Join(", ", Reasons)}."];
        FieldRules.Text("note", request.Note, ModerationRules.NoteChars, errors);
        if (errors.Count > 0) return Problems.Invalid(errors);

        var (kind, objectId) = (named[0].Item1, named[0].Item2!);
        var now = clock.GetUtcNow();
        var report = await store.WriteAsync<string?>(
            async write =>
            {
                if (await AuthorOfAsync(write, kind, objectId, reporter.Id, now) is not { } author) return null;
                var row = new
                {
                    Id = Guid.CreateVersion7(now).ToString("N"),
                    ReporterId = reporter.Id,
                    Kind = kind,
                    ObjectId = objectId,
                    AuthorId = author,
                    request.Reason,
                    Note = request.Note ?? "",
                    Now = now,
                };
                if (await write.ExecuteAsync(Sql.Insert, row) > 0) return row.Id;
                return await write.QuerySingleOrDefaultAsync<string>(Sql.Open, row);
            },
            cancellationToken);
        return report is null
            ? Problems.NotFound(kind)
            : TypedResults.Json(new ReportAnswer(report), ModerationJson.Answers.ReportAnswer, statusCode: StatusCodes.Status201Created);
    }

    /// <summary>Whose it is; null if there is no such thing for the reporter.</summary>
    private static async ValueTask<string?> AuthorOfAsync(IWriteUnit write, string kind, string id, string reporterId, DateTimeOffset now)
    {
        switch (kind)
        {
            case "post":
                var standing = await PostAccess.OfAsync(write, reporterId, id, now);
                return standing.IsThere ? standing.AuthorId : null;
            case "comment":
                var comment = await write.QuerySingleOrDefaultAsync<Commented>(Sql.Comment, new { Id = id });
                return comment is not null && (await PostAccess.OfAsync(write, reporterId, comment.PostId, now)).View == PostView.Full ? comment.AuthorId : null;
            case "message":
                return await write.QuerySingleOrDefaultAsync<string>(Sql.Message, new { Id = id, Me = reporterId });
            default:
                return await write.QuerySingleOrDefaultAsync<string>(Sql.User, new { Id = id });
        }
    }

    private sealed record Commented(string PostId, string AuthorId);

    private static class Sql
    {
        public const string Comment = "SELECT post_id AS PostId, author_id AS AuthorId FROM comments WHERE id = @Id AND deleted = 0";

        public const string Message = """
            SELECT m.author_id FROM messages m
            WHERE m.id = @Id AND EXISTS (SELECT 1 FROM conversation_members c WHERE c.conversation_id = m.conversation_id AND c.user_id = @Me)
            """;

        public const string User = "SELECT id FROM users WHERE id = @Id";

        public const string Insert = """
            INSERT INTO reports (id, reporter_id, kind, object_id, author_id, reason, note, status, created_at)
            VALUES (@Id, @ReporterId, @Kind, @ObjectId, @AuthorId, @Reason, @Note, 'open', @Now)
            ON CONFLICT (reporter_id, kind, object_id) WHERE status = 'open' DO NOTHING
            """;

        public const string Open = "SELECT id FROM reports WHERE reporter_id = @ReporterId AND kind = @Kind AND object_id = @ObjectId AND status = 'open'";
    }
}
