using System.Data.Common;
using System.Text.Json;
using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Scheduling;

/// <summary>Where a post is published, with every attempt; and what failed of all of a user's posts. For the author alone.</summary>
internal static class GetTargets
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;
    private const int MaxAttempts = 100;

    public static async Task<IResult> HandleAsync(string id, CurrentUser author, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var (row, problem) = await OwnPosts.ReadAsync(store, id, author.Id, clock.GetUtcNow(), cancellationToken);
        if (problem is not null) return problem;

        var answer = await store.ReadAsync(
            async connection =>
            {
                var kept = await connection.QuerySingleAsync<Kept>(Sql.Post, new { Id = id });
                var targets = (await connection.QueryAsync<Row>(Sql.OfPost, new { Id = id })).AsList();
                var schedule = kept is { ScheduledAt: { } at, LocalTime: { } local, TimeZone: { } zone }
                    ? new ScheduleView(DateTimeOffset.FromUnixTimeMilliseconds(at), local, zone, null, null)
                    : null;
                return new TargetsAnswer(id, kept.Publishing ?? row!.Status, schedule, await WithAttemptsAsync(connection, targets));
            },
            cancellationToken);
        return TypedResults.Json(answer, SchedulingJson.Answers.TargetsAnswer);
    }

    /// <summary>What needs the user's attention: <c>state</c> is failed (if absent), unknown or skipped.</summary>
    public static async Task<IResult> ListAsync(CurrentUser user, Store store, string? state, string? cursor, string? limit, CancellationToken cancellationToken)
    {
        if (!PageLimit.TryParse(limit, DefaultLimit, MaxLimit, out var take)) return PageLimit.Refusal(MaxLimit);
        if (state is not (null or "" or TargetStates.Failed or TargetStates.Unknown or TargetStates.Skipped))
            return Problems.Invalid("state", "This must be failed, unknown or skipped.");

        var asked = new { UserId = user.Id, State = string.IsNullOrEmpty(state) ? TargetStates.Failed : state, Before = string.IsNullOrEmpty(cursor) ? "~" : cursor, Take = take + 1L };
        var page = await store.ReadAsync(
            async connection =>
            {
                var rows = (await connection.QueryAsync<Row>(Sql.OfUser, asked)).AsList();
                var next = rows.Count > take ? rows[take - 1].Id : null;
                return new TargetPage(await WithAttemptsAsync(connection, rows.Take(take).ToList()), next);
            },
            cancellationToken);
        return TypedResults.Json(page, SchedulingJson.Answers.TargetPage);
    }

    private static async Task<IReadOnlyList<TargetDetails>> WithAttemptsAsync(DbConnection connection, List<Row> targets)
    {
        var ids = JsonSerializer.Serialize(targets.Select(static target => target.Id));
        var attempts = (await connection.QueryAsync<AttemptRow>(Sql.Attempts, new { Ids = ids, Most = (long)MaxAttempts * Math.Max(1, targets.Count) })).ToLookup(static attempt => attempt.TargetId);
        return [.. targets.Select(target => target.View([.. attempts[target.Id].Select(static attempt => attempt.View())]))];
    }

    private sealed record Kept
    {
        public string? Publishing { get; init; }
        public long? ScheduledAt { get; init; }
        public string? LocalTime { get; init; }
        public string? TimeZone { get; init; }
    }

    private sealed record Row
    {
        public string Id { get; init; } = "";
        public string PostId { get; init; } = "";
        public string Platform { get; init; } = "";
        public string AccountId { get; init; } = "";
        public string? Handle { get; init; }
        public string State { get; init; } = "";
        public long DueAt { get; init; }
        public long NextAt { get; init; }
        public string? Url { get; init; }
        public string? Reason { get; init; }

        public TargetDetails View(IReadOnlyList<AttemptView> attempts) => new(
            Id, PostId, Platform, AccountId.Length == 0 ? null : AccountId, Handle, State, DateTimeOffset.FromUnixTimeMilliseconds(DueAt),
            State == TargetStates.RetryWait ? DateTimeOffset.FromUnixTimeMilliseconds(NextAt) : null, Url,
            State is TargetStates.Succeeded or TargetStates.Pending ? null : Reason, attempts);
    }

    private sealed record AttemptRow
    {
        public string TargetId { get; init; } = "";
        public long Number { get; init; }
        public long StartedAt { get; init; }
        public long? FinishedAt { get; init; }
        public string? Outcome { get; init; }
        public long? Status { get; init; }
        public string? Body { get; init; }
        public string? Reason { get; init; }
        public long? Latency { get; init; }

        public AttemptView View() => new(
            Number, DateTimeOffset.FromUnixTimeMilliseconds(StartedAt), FinishedAt is { } end ? DateTimeOffset.FromUnixTimeMilliseconds(end) : null, Outcome, Status, Body, Reason, Latency);
    }

    private static class Sql
    {
        private const string Select = """
            SELECT t.id AS Id, t.post_id AS PostId, t.platform AS Platform, t.account_id AS AccountId, a.handle AS Handle, t.state AS State, t.due_at AS DueAt,
                   t.next_at AS NextAt, t.url AS Url, t.reason AS Reason
            FROM targets t LEFT JOIN connected_accounts a ON a.id = t.account_id
            """;

        public const string Post = "SELECT publishing AS Publishing, scheduled_at AS ScheduledAt, local_time AS LocalTime, time_zone AS TimeZone FROM posts WHERE id = @Id";

        public const string OfPost = $"{Select} WHERE t.post_id = @Id ORDER BY t.id";

        public const string OfUser = $"{Select} WHERE t.user_id = @UserId AND t.state = @State AND t.id < @Before ORDER BY t.id DESC LIMIT @Take";

        public const string Attempts = """
            SELECT target_id AS TargetId, number AS Number, started_at AS StartedAt, finished_at AS FinishedAt, outcome AS Outcome, status AS Status, body AS Body,
                   reason AS Reason, latency AS Latency
            FROM attempts WHERE target_id IN (SELECT value FROM json_each(@Ids)) ORDER BY target_id, number LIMIT @Most
            """;
    }
}
