using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Moderation;

/// <summary>A report as moderators see it, with what it is about as it is now; the text is empty where there is none any more.</summary>
internal sealed record ReportView(
    string Id, string ReporterId, string Kind, string ObjectId, string AuthorId, string Reason, string Note, string Status, DateTimeOffset CreatedAt, string Text);

/// <summary>A page of reports, the newest first.</summary>
internal sealed record ReportPage(IReadOnlyList<ReportView> Reports, string? NextCursor);

/// <summary>Reads reports, and closes them.</summary>
internal static class Reports
{
    private static readonly string[] Statuses = ["open", "dismissed", "acted"];

    /// <summary>How it was resolved.</summary>
    public sealed record Request(string? As, string? Note);

    public static async Task<IResult> ListAsync(string? status, string? cursor, string? limit, Store store, CancellationToken cancellationToken)
    {
        if (!ModerationPage.TryRead(cursor, limit, out var page, out var problem)) return problem;
        if (status is not null && !Statuses.Contains(status, StringComparer.Ordinal)) return Problems.Invalid("status", $"This must be one of {string.Join(", ", Statuses)}.");

        var rows = await store.QueryAsync<Row>(Sql.Page, new { page.Before, page.Take, Status = status ?? "open" }, cancellationToken);
        var reports = rows.Select(static row => new ReportView(
            row.Id, row.ReporterId, row.Kind, row.ObjectId, row.AuthorId, row.Reason, row.Note, row.Status, DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt), row.Text ?? "")).ToList();
        return TypedResults.Json(new ReportPage(reports, page.Next(reports.Count, reports.LastOrDefault()?.Id)), ModerationJson.Answers.ReportPage);
    }

    public static async Task<IResult> ResolveAsync(string id, HttpContext http, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var body = await RequestJson.ReadAsync(http.Request, ModerationRequestJson.Strict.ResolveReport, ModerationRules.BodyBytes, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        if (request.As is not ("dismissed" or "acted")) return Problems.Invalid("as", "This must be dismissed or acted.");
        if (ModerationRules.ProblemOf(request.Note) is { } wrong) return wrong;

        var (now, actor) = (clock.GetUtcNow(), Moderators.ActorOf(http));
        var isThere = await store.WriteAsync(
            async write =>
            {
                if (await write.ExecuteAsync(Sql.Resolve, new { Id = id, Status = request.As, Now = now, Actor = actor }) == 0)
                    return await write.QuerySingleOrDefaultAsync<string>(Sql.Exists, new { Id = id }) is not null; // resolved before
                Audit.Write(write, actor, $"report.{request.As}", $"report:{id}", request.Note, now);
                return true;
            },
            cancellationToken);
        return isThere ? TypedResults.NoContent() : Problems.NotFound("report");
    }

    private sealed record Row(
        string Id, string ReporterId, string Kind, string ObjectId, string AuthorId, string Reason, string Note, string Status, long CreatedAt, string? Text);

    private static class Sql
    {
        public const string Page = """
            SELECT r.id AS Id, r.reporter_id AS ReporterId, r.kind AS Kind, r.object_id AS ObjectId, r.author_id AS AuthorId, r.reason AS Reason, r.note AS Note,
                   r.status AS Status, r.created_at AS CreatedAt,
                   CASE r.kind
                       WHEN 'post' THEN (SELECT p.title || ' ' || p.content FROM posts p WHERE p.id = r.object_id)
                       WHEN 'comment' THEN (SELECT c.content FROM comments c WHERE c.id = r.object_id)
                       WHEN 'message' THEN (SELECT m.content FROM messages m WHERE m.id = r.object_id)
                       ELSE (SELECT u.nickname FROM users u WHERE u.id = r.object_id)
                   END AS Text
            FROM reports r WHERE r.status = @Status AND r.id < @Before ORDER BY r.id DESC LIMIT @Take
            """;

        public const string Resolve = "UPDATE reports SET status = @Status, resolved_at = @Now, resolved_by = @Actor WHERE id = @Id AND status = 'open'";
        public const string Exists = "SELECT id FROM reports WHERE id = @Id";
    }
}
