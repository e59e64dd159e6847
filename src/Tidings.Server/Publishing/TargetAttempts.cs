using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>How the worker goes on after an attempt.</summary>
/// <param name="State">The target's new state.</param>
/// <param name="NextAt">When it may be tried again; for <c>retry_wait</c> and <c>pending</c>.</param>
/// <param name="Doubt">Whether an attempt may have posted it: as <see cref="TargetRow.Doubt"/>.</param>
internal sealed record NextStep(string State, DateTimeOffset? NextAt = null, long Doubt = 0);

/// <summary>
/// Writes attempts down: before their first byte, and how they ended. Every write names the attempt as which the target was claimed, and is refused if
/// another has claimed it since.
/// </summary>
internal sealed class TargetAttempts(Store store, TargetClaims claims, NodeName node)
{
    /// <summary>Commits that an attempt begins.</summary>
    /// <returns>False if the post was edited after it was read: then it is to be read again.</returns>
    /// <exception cref="LostClaimException">The target is another's, or was canceled.</exception>
    public async Task<bool> BeginAsync(TargetRow target, long revision, string payloadHash, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var began = await store.WriteAsync<bool?>(
            async write =>
            {
                if (await PostTargets.LockAsync(write, target.PostId).ConfigureAwait(false) is not { } post) return null;
                if (post.Revision != revision) return false;
                var changed = await write.ExecuteAsync(
                    Sql.Begin, new { target.Id, target.Attempt, target.IdempotencyKey, LeaseUntil = claims.LeaseFrom(now.ToUnixTimeMilliseconds()), Now = now }).ConfigureAwait(false);
                if (changed == 0) return null;

                await write.ExecuteAsync(
                    Sql.Insert, new { target.Id, Number = target.Attempt, target.IdempotencyKey, Hash = payloadHash, Owner = node.Value, Now = now }).ConfigureAwait(false);
                await PostTargets.TellAsync(write, post, "post:publishing", target.Platform, null, now).ConfigureAwait(false);
                await PostTargets.SettleAsync(write, post, isSuccess: false, now).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        return began ?? throw new LostClaimException();
    }

    /// <summary>Commits how an attempt ended and what follows, and claims what is next in the lane.</summary>
    /// <param name="target">As it was claimed.</param>
    /// <param name="outcome">What the platform said; null if no attempt was begun.</param>
    /// <param name="outcomeName">The outcome's name in the list of attempts.</param>
    /// <param name="latency">How long it took.</param>
    /// <param name="next">What follows.</param>
    /// <param name="claimNext">Whether to go on with the lane.</param>
    /// <param name="now">The time by the clock that decides what is due.</param>
    /// <param name="cancellationToken">Ends the waiting for the store.</param>
    /// <exception cref="LostClaimException">The target is another's: nothing was written.</exception>
    public async Task<TargetRow?> EndAsync(
        TargetRow target, SendOutcome? outcome, string? outcomeName, TimeSpan latency, NextStep next, bool claimNext, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (isMine, claimed) = await store.WriteAsync<(bool, TargetRow?)>(
            async write =>
            {
                if (await PostTargets.LockAsync(write, target.PostId).ConfigureAwait(false) is not { } post) return (false, null);
                var end = new
                {
                    target.Id,
                    target.Attempt,
                    next.State,
                    NextAt = next.NextAt ?? now,
                    next.Doubt,
                    outcome?.ExternalId,
                    outcome?.Url,
                    outcome?.Reason,
                    Now = now,
                };
                if (await write.ExecuteAsync(Sql.End, end).ConfigureAwait(false) == 0) return (false, null);
                if (outcomeName is not null) await write.ExecuteAsync(Sql.Outcome, OutcomeOf(target, outcome, outcomeName, latency, now)).ConfigureAwait(false);

                if (next.State == TargetStates.Succeeded) await PostTargets.TellAsync(write, post, "post:published", target.Platform, null, now).ConfigureAwait(false);
                else if (next.State is TargetStates.Failed or TargetStates.Unknown)
                    await PostTargets.TellFailedAsync(write, post, target, outcome?.Reason ?? "It could not be published.", now, next.State == TargetStates.Unknown).ConfigureAwait(false);
                await PostTargets.SettleAsync(write, post, next.State == TargetStates.Succeeded, now).ConfigureAwait(false);
                return (true, claimNext ? await claims.ClaimNextAsync(write, target.Lane, now.ToUnixTimeMilliseconds()).ConfigureAwait(false) : null);
            },
            cancellationToken).ConfigureAwait(false);
        return isMine ? claimed : throw new LostClaimException();
    }

    /// <summary>Commits what the connector wants to know in the next attempt, and that this node is still at work.</summary>
    /// <exception cref="LostClaimException">The target is another's.</exception>
    public async Task KeepAsync(TargetRow target, string progress, long now, CancellationToken cancellationToken)
    {
        if (progress.Length > MaxProgress) throw new ArgumentException($"Progress may have {MaxProgress} characters.", nameof(progress));
        var kept = await store.WriteAsync(
            write => write.ExecuteAsync(Sql.Keep, new { target.Id, target.Attempt, Progress = progress, LeaseUntil = claims.LeaseFrom(now), Now = now }), cancellationToken).ConfigureAwait(false);
        if (kept == 0) throw new LostClaimException();
    }

    /// <summary>Says that this node is still at work.</summary>
    /// <exception cref="LostClaimException">The target is another's.</exception>
    public async Task ExtendAsync(TargetRow target, long now, CancellationToken cancellationToken)
    {
        var kept = await store.WriteAsync(
            write => write.ExecuteAsync(Sql.Extend, new { target.Id, target.Attempt, LeaseUntil = claims.LeaseFrom(now), Now = now }), cancellationToken).ConfigureAwait(false);
        if (kept == 0) throw new LostClaimException();
    }

    /// <summary>The name of an outcome in the list of attempts and in metrics.</summary>
    public static string NameOf(SendResult result) => result switch
    {
        SendResult.Sent => "sent",
        SendResult.NotSent => "not_sent",
        SendResult.RateLimited => "rate_limited",
        SendResult.AuthRefused => "auth_refused",
        SendResult.AccountGone => "account_gone",
        SendResult.Rejected => "rejected",
        _ => "unknown",
    };

    private const int MaxProgress = 4_000;
    private const int MaxBody = 500;
    private const int MaxReason = 500;

    private static object OutcomeOf(TargetRow target, SendOutcome? outcome, string name, TimeSpan latency, DateTimeOffset now) => new
    {
        target.Id,
        Number = target.Attempt,
        Outcome = name,
        outcome?.Status,
        Body = Short(outcome?.Body, MaxBody),
        Reason = Short(outcome?.Reason, MaxReason),
        Latency = (long)latency.TotalMilliseconds,
        Now = now,
    };

    private static string? Short(string? text, int most) => text is null || text.Length <= most ? text : text[..most];

    private static class Sql
    {
        public const string Begin = """
            UPDATE targets
            SET state = 'sending', tries = tries + 1, lease_until = @LeaseUntil, first_attempt_at = coalesce(first_attempt_at, @Now), updated_at = @Now
            WHERE id = @Id AND attempt = @Attempt AND state = 'claimed' AND idempotency_key = @IdempotencyKey
            """;

        public const string Insert = """
            INSERT INTO attempts (target_id, number, idempotency_key, payload_hash, owner, started_at) VALUES (@Id, @Number, @IdempotencyKey, @Hash, @Owner, @Now)
            """;

        public const string End = """
            UPDATE targets
            SET state = @State, next_at = @NextAt, doubt = @Doubt, owner = NULL, lease_until = NULL, external_id = coalesce(@ExternalId, external_id),
                url = coalesce(@Url, url), reason = @Reason, updated_at = @Now
            WHERE id = @Id AND attempt = @Attempt AND state IN ('claimed', 'sending')
            """;

        public const string Outcome = """
            UPDATE attempts SET finished_at = @Now, outcome = @Outcome, status = @Status, body = @Body, reason = @Reason, latency = @Latency
            WHERE target_id = @Id AND number = @Number AND outcome IS NULL
            """;

        public const string Keep =
            "UPDATE targets SET progress = @Progress, lease_until = @LeaseUntil, updated_at = @Now WHERE id = @Id AND attempt = @Attempt AND state = 'sending'";

        public const string Extend =
            "UPDATE targets SET lease_until = @LeaseUntil, updated_at = @Now WHERE id = @Id AND attempt = @Attempt AND state IN ('claimed', 'sending')";
    }
}
