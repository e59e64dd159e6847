using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Moderation;

/// <summary>One line of the audit log.</summary>
internal sealed record AuditEntry(string Id, DateTimeOffset At, string ActorId, string Action, string Object, string Note);

/// <summary>A page of the audit log, the newest first.</summary>
internal sealed record AuditPage(IReadOnlyList<AuditEntry> Entries, string? NextCursor);

/// <summary>Writes down what was done, in the unit that does it. Nothing takes a line out again.</summary>
internal static class Audit
{
    /// <summary>Writes a line.</summary>
    /// <param name="write">The unit.</param>
    /// <param name="actorId">Who did it; empty for a backend.</param>
    /// <param name="action">What, such as <c>post.hide</c>.</param>
    /// <param name="what">To what, such as <c>post:0199…</c>.</param>
    /// <param name="note">What was said about it.</param>
    /// <param name="now">When.</param>
    public static void Write(IWriteUnit write, string actorId, string action, string what, string? note, DateTimeOffset now) =>
        write.Enqueue(Sql.Insert, new { Id = Guid.CreateVersion7(now).ToString("N"), Now = now, ActorId = actorId, Action = action, Object = what, Note = note ?? "" });

    /// <summary>Answers a page of it.</summary>
    public static async Task<IResult> HandleAsync(string? cursor, string? limit, Store store, CancellationToken cancellationToken)
    {
        if (!ModerationPage.TryRead(cursor, limit, out var page, out var problem)) return problem;
        var rows = await store.QueryAsync<Row>(Sql.Page, page, cancellationToken);
        var entries = rows.Select(static row => new AuditEntry(row.Id, DateTimeOffset.FromUnixTimeMilliseconds(row.At), row.ActorId, row.Action, row.Object, row.Note)).ToList();
        return TypedResults.Json(new AuditPage(entries, page.Next(entries.Count, entries.LastOrDefault()?.Id)), ModerationJson.Answers.AuditPage);
    }

    private sealed record Row(string Id, long At, string ActorId, string Action, string Object, string Note);

    private static class Sql
    {
        public const string Insert = "INSERT INTO audit_log (id, at, actor_id, action, object, note) VALUES (@Id, @Now, @ActorId, @Action, @Object, @Note)";

        public const string Page = """
            SELECT id AS Id, at AS At, actor_id AS ActorId, action AS Action, object AS Object, note AS Note
            FROM audit_log WHERE id < @Before ORDER BY id DESC LIMIT @Take
            """;
    }
}

/// <summary>A page of a list whose ids rise with time: the cursor is the last id that was seen.</summary>
internal sealed record ModerationPage(string Before, int Take)
{
    private const int Most = 100;
    private const string Newest = "g"; // behind every hex digit

    /// <summary>Reads the two parameters, or says what is wrong with them.</summary>
    public static bool TryRead(string? cursor, string? limit, out ModerationPage page, out IResult problem)
    {
        page = new ModerationPage(string.IsNullOrEmpty(cursor) ? Newest : cursor, 0);
        problem = PageLimit.Refusal(Most);
        if (!PageLimit.TryParse(limit, 50, Most, out var take)) return false;
        page = page with { Take = take };
        problem = Problems.Invalid("cursor", "This is not a cursor of this list.");
        return page.Before == Newest || (page.Before.Length == 32 && page.Before.All(char.IsAsciiHexDigitLower));
    }

    /// <summary>The cursor of the next page; null at the end.</summary>
    public string? Next(int count, string? last) => count == Take ? last : null;
}
