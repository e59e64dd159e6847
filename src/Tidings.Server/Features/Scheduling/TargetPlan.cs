using Dapper;
using Tidings.Server.Features.ConnectedAccounts;
using Tidings.Server.Features.Media;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Scheduling;

/// <summary>An account to which a post is to be published.</summary>
internal sealed record PlannedAccount(string Id, string Platform);

/// <summary>
/// Decides to which accounts a post may be published, before it is written: they are the author's, connected, and their platforms take such a post. What
/// a platform takes is asked again when it is published.
/// </summary>
internal sealed class TargetPlan(Store store, ConnectorCatalog connectors, AccountVault vault, OutgoingPosts posts, PublishingOptions options)
{
    /// <summary>To how many accounts a post may be published.</summary>
    public const int MaxAccounts = 20;

    /// <summary>How many targets of a user may wait for their time.</summary>
    public const int MaxWaiting = 10_000;

    /// <summary>How far ahead a post may be scheduled.</summary>
    public static readonly TimeSpan FarthestAhead = TimeSpan.FromDays(366 * 2);

    /// <summary>The time of a request on its way here may have passed.</summary>
    public static readonly TimeSpan OnItsWay = TimeSpan.FromMinutes(1);

    private const int MaxGraceMinutes = 7 * 24 * 60;

    /// <summary>How late a post may be that does not say itself.</summary>
    public TimeSpan Grace => options.Grace;

    /// <summary>Reads the fields of a request that say when and where; what cannot be is added to <paramref name="errors"/>.</summary>
    public static ScheduleTime? ReadTime(
        string? scheduledAt, string? timeZone, string? overlap, int? graceMinutes, DateTimeOffset now, Dictionary<string, string[]> errors)
    {
        if (graceMinutes is < 0 or > MaxGraceMinutes) errors["graceMinutes"] = [$"This must be 0 to {MaxGraceMinutes}."];
        if (ScheduleTime.Read(scheduledAt, timeZone, overlap, errors) is not { } time) return null;
        if (time.Instant < now - OnItsWay) errors["scheduledAt"] = ["This time has passed."];
        else if (time.Instant > now + FarthestAhead) errors["scheduledAt"] = [$"A post may be scheduled at most {FarthestAhead.TotalDays:0} days ahead."];
        return time;
    }

    /// <summary>Checks the ids of accounts as such.</summary>
    public static void CheckIds(IReadOnlyList<string>? accountIds, Dictionary<string, string[]> errors)
    {
        if (accountIds is null) return;
        if (accountIds.Count > MaxAccounts) errors["accountIds"] = [$"A post is published to at most {MaxAccounts} accounts."];
        else if (accountIds.Any(static id => id is not { Length: > 0 and <= 64 })) errors["accountIds"] = ["These must be ids of your accounts."];
    }

    /// <summary>The accounts of these ids, if the post may be published to all of them; otherwise the answer that says why not.</summary>
    public async Task<(IReadOnlyList<PlannedAccount> Accounts, IResult? Problem)> CheckAsync(
        IReadOnlyList<string>? accountIds, PostRow post, string? mediaId, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        var waiting = await store.QueryAsync<long>(Sql.Waiting, new { UserId = post.AuthorId }, cancellationToken);
        if (waiting[0] >= MaxWaiting) return ([], Problems.Problem(422, "too_many_scheduled", $"At most {MaxWaiting} publications may wait for their time."));
        if (accountIds is not { Count: > 0 }) return ([], null);
        if (OutgoingPosts.ProblemOf(post) is { } locked) return ([], Problems.Problem(422, "locked_post", locked));

        var media = mediaId is { Length: > 0 } ? await FindMediaAsync(mediaId, post.AuthorId, cancellationToken) : null;
        var stored = media is null ? await posts.ReadAsync(post.Id, dueAt, cancellationToken) : null; // with its files, if it is there already
        var outgoing = stored?.Post ?? posts.Of(post, dueAt, media);
        var planned = new List<PlannedAccount>();
        foreach (var id in accountIds.Distinct(StringComparer.Ordinal))
        {
            if (await vault.OpenAsync(id, cancellationToken) is not { } account || account.UserId != post.AuthorId)
                return ([], Problems.Problem(422, "unknown_account", $"There is no connected account {id} of yours: connect it (again) first."));
            if (connectors.Find(account.Platform) is not { } connector) return ([], Problems.Problem(422, "unknown_account", $"Nothing can be published to {account.Platform} here."));
            if (await connector.CheckAsync(outgoing, account, cancellationToken) is { Count: > 0 } problems)
                return ([], Problems.Problem(422, "refused_by_platform", $"{PostTargets.NameOf(account.Platform)}, {account.Handle}: {string.Join(' ', problems)}"));
            planned.Add(new PlannedAccount(account.Id, account.Platform));
        }

        return (planned, null);
    }

    /// <summary>The targets of a post that has none yet: this server's feed, then the accounts.</summary>
    public static IReadOnlyList<TargetRow> Of(PostRow post, IReadOnlyList<PlannedAccount> accounts, DateTimeOffset dueAt, TimeSpan grace, DateTimeOffset now) =>
        [New(post, null, dueAt, grace, now), .. accounts.Select(account => New(post, account, dueAt, grace, now))];

    /// <summary>A new target; of this server's feed if no account is named.</summary>
    public static TargetRow New(PostRow post, PlannedAccount? account, DateTimeOffset dueAt, TimeSpan grace, DateTimeOffset now)
    {
        var (id, due) = (TargetIds.Next(now), dueAt.ToUnixTimeMilliseconds());
        return new TargetRow
        {
            Id = id,
            PostId = post.Id,
            UserId = post.AuthorId,
            AccountId = account?.Id ?? "",
            Platform = account?.Platform ?? TargetRow.OwnFeed,
            Lane = account?.Id ?? $"{TargetRow.OwnFeed}:{post.AuthorId}",
            State = TargetStates.Pending,
            DueAt = due,
            NextAt = due,
            MissAt = due + (long)grace.TotalMilliseconds,
            GiveUpAt = due + (long)RetryDelays.GiveUpAfter.TotalMilliseconds,
            Revision = post.Revision,
            IdempotencyKey = TargetRow.KeyOf(id, post.Revision),
        };
    }

    /// <summary>Writes new targets.</summary>
    public static async ValueTask AddAsync(IWriteUnit write, IReadOnlyList<TargetRow> targets, DateTimeOffset now)
    {
        foreach (var target in targets)
        {
            await write.ExecuteAsync(Sql.Insert, new
            {
                target.Id,
                target.PostId,
                target.UserId,
                target.AccountId,
                target.Platform,
                target.Lane,
                target.State,
                target.DueAt,
                target.NextAt,
                target.MissAt,
                target.GiveUpAt,
                target.Revision,
                target.IdempotencyKey,
                Now = now,
            });
        }
    }

    /// <summary>Keeps with a post when it is due.</summary>
    public static ValueTask<int> KeepAsync(IWriteUnit write, string postId, ScheduleTime? time, TimeSpan grace) => write.ExecuteAsync(Sql.Schedule, new
    {
        Id = postId,
        At = time?.Instant,
        time?.Local,
        time?.TimeZone,
        time?.Overlap,
        time?.Tzdb,
        Grace = (long)grace.TotalMilliseconds,
    });

    private async Task<MediaRow?> FindMediaAsync(string mediaId, string ownerId, CancellationToken cancellationToken) =>
        await store.ReadAsync(
            connection => connection.QuerySingleOrDefaultAsync<MediaRow>($"{MediaRow.Sql.Read} AND owner_id = @OwnerId", new { Id = mediaId, OwnerId = ownerId }), cancellationToken);

    private static class Sql
    {
        public const string Waiting = "SELECT COUNT(*) FROM targets WHERE user_id = @UserId AND state IN ('pending', 'retry_wait')";

        public const string Insert = """
            INSERT INTO targets (id, post_id, user_id, account_id, platform, lane, state, due_at, next_at, miss_at, give_up_at, revision, idempotency_key, attempt, tries, doubt, updated_at)
            VALUES (@Id, @PostId, @UserId, @AccountId, @Platform, @Lane, @State, @DueAt, @NextAt, @MissAt, @GiveUpAt, @Revision, @IdempotencyKey, 0, 0, 0, @Now)
            """;

        public const string Schedule = """
            UPDATE posts SET scheduled_at = @At, local_time = @Local, time_zone = @TimeZone, overlap = @Overlap, tzdb = @Tzdb, grace = @Grace WHERE id = @Id
            """;
    }
}
