using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Scheduling;

/// <summary>Tries again what failed of a user's posts: all of it, or that of one account or platform. A few posts at a time; a call says how many.</summary>
internal static class RetryFailed
{
    private const int MaxBody = 4 * 1024;
    private const int MostPosts = 500;

    /// <summary>Of which account or platform; absent: of all.</summary>
    public sealed record Request(string? AccountId, string? Platform);

    public static async Task<IResult> HandleAsync(
        HttpRequest http, CurrentUser user, Store store, TargetPlan plan, PublishingRun run, TimeProvider clock, CancellationToken cancellationToken)
    {
        var request = new Request(null, null);
        if (http.ContentLength is > 0 || http.ContentType is not null)
        {
            var body = await RequestJson.ReadAsync(http, SchedulingRequestJson.Strict.RetryFailed, MaxBody, withFingerprint: false, cancellationToken);
            if (body.Value is not { } read) return body.Problem!;
            request = read;
        }

        var now = clock.GetUtcNow();
        var asked = new { UserId = user.Id, AccountId = request.AccountId ?? "", Platform = request.Platform ?? "", Take = (long)MostPosts };
        var failed = await store.QueryAsync<Failed>(Sql.Failed, asked, cancellationToken);
        var retried = 0;
        foreach (var ofPost in failed.GroupBy(static one => one.PostId))
        {
            retried += await store.WriteAsync(
                async write =>
                {
                    if (await PostTargets.LockAsync(write, ofPost.Key) is not { Deleted: 0 } post) return 0;
                    var still = (await PostTargets.ReadAsync(write, post.Id)).Where(target => target.State == TargetStates.Failed && ofPost.Any(one => one.Id == target.Id)).ToList();
                    if (still.Count == 0) return 0;
                    await TargetChanges.DueAsync(write, still.Select(static target => target.Id), now, plan.Grace, now);
                    await PostTargets.SettleAsync(write, post, isSuccess: false, now);
                    return still.Count;
                },
                cancellationToken);
        }

        run.Wake();
        return TypedResults.Json(new RetriedAnswer(retried), SchedulingJson.Answers.RetriedAnswer);
    }

    private sealed record Failed
    {
        public string Id { get; init; } = "";
        public string PostId { get; init; } = "";
    }

    private static class Sql
    {
        public const string Failed = """
            SELECT id AS Id, post_id AS PostId FROM targets
            WHERE user_id = @UserId AND state = 'failed' AND (@AccountId = '' OR account_id = @AccountId) AND (@Platform = '' OR platform = @Platform)
            ORDER BY id LIMIT @Take
            """;
    }
}
