using System.Security.Cryptography;
using System.Text;
using Tidings.Server.Features.ConnectedAccounts;
using Tidings.Server.Host;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>
/// Publishes a target that this node has claimed on its platform: one attempt, of which the database knows before its first byte, and its outcome
/// after. What follows from the outcome is in <see cref="AfterAttempt"/>.
/// </summary>
internal sealed partial class ConnectorTarget(
    Store store, TargetAttempts attempts, OutgoingPosts posts, ConnectorCatalog connectors, AccountVault vault, AccountRenewal renewal, RateBuckets buckets,
    PublishingClock now, PublishingOptions options, PublishingMetrics metrics, TimeProvider clock, ILogger<ConnectorTarget> logger)
{
    /// <summary>The longest that one attempt may take, uploads of files included.</summary>
    private static readonly TimeSpan LongestAttempt = TimeSpan.FromMinutes(10);

    /// <summary>New tokens that are refused within this time are no reason to ask for others.</summary>
    private static readonly TimeSpan RenewedLately = TimeSpan.FromMinutes(10);

    /// <summary>How long one waits whose account must be connected again. It is not claimed before that, however often it is looked at.</summary>
    private static readonly TimeSpan AccountPause = TimeSpan.FromSeconds(10);

    private readonly BoundedCache<string, long> _renewedAt = new(10_000);

    /// <summary>Makes an attempt.</summary>
    /// <param name="target">As it was claimed.</param>
    /// <param name="claimNext">Whether to claim what is next in the lane.</param>
    /// <param name="stopping">The host stops: what was not begun is left to others.</param>
    /// <returns>The target's new state, and what was claimed.</returns>
    /// <exception cref="LostClaimException">The target is another's now.</exception>
    public async Task<(string State, TargetRow? Next)> PublishAsync(TargetRow target, Func<bool> claimNext, CancellationToken stopping)
    {
        CrashPoints.Reached("target-claimed");
        if (connectors.Find(target.Platform) is not { } connector) return await RefuseAsync(target, "There is no such platform here any more.", claimNext).ConfigureAwait(false);
        if (await vault.OpenAsync(target.AccountId, stopping).ConfigureAwait(false) is not { } account)
        {
            return await IsThereAsync(target.AccountId, stopping).ConfigureAwait(false)
                ? await EndAsync(target, new SendOutcome(SendResult.NotSent, "The account must be connected again."), null, default, WaitFor(target, AccountPause), claimNext).ConfigureAwait(false)
                : await RefuseAsync(target, "The account is not connected any more.", claimNext).ConfigureAwait(false);
        }

        while (true)
        {
            var dueAt = DateTimeOffset.FromUnixTimeMilliseconds(target.DueAt);
            if (await posts.ReadAsync(target.PostId, dueAt, stopping).ConfigureAwait(false) is not { } read) return await RefuseAsync(target, "The post is gone.", claimNext).ConfigureAwait(false);
            if (read.Problem is { } problem) return await RefuseAsync(target, problem, claimNext).ConfigureAwait(false);

            if (target.FirstAttemptAt is null) target = target with { IdempotencyKey = TargetRow.KeyOf(target.Id, read.Revision) };
            var wait = buckets.WaitOf(account);
            if (wait > TimeSpan.Zero)
                return await EndAsync(target, new SendOutcome(SendResult.NotSent, "The platform's limit is reached; it is tried again."), null, default, WaitFor(target, wait), claimNext).ConfigureAwait(false);

            var problems = await connector.CheckAsync(read.Post, account, stopping).ConfigureAwait(false);
            if (problems.Count > 0) return await RefuseAsync(target, string.Join(' ', problems), claimNext).ConfigureAwait(false);

            var began = clock.GetTimestamp();
            if (!await attempts.BeginAsync(target, read.Revision, HashOf(read.Post), now.Now, stopping).ConfigureAwait(false)) continue; // edited meanwhile
            CrashPoints.Reached("attempt-begun");
            if (target.Tries == 0) metrics.Started(now.Now - dueAt);
            if (clock.GetElapsedTime(began) >= options.Lease) throw new LostClaimException(); // this process stood still: somebody else may have it
            return await AttemptAsync(connector, target, account, read.Post, claimNext).ConfigureAwait(false);
        }
    }

    private async Task<(string State, TargetRow? Next)> AttemptAsync(
        IPublishingConnector connector, TargetRow target, ConnectedAccount account, OutgoingPost post, Func<bool> claimNext)
    {
        var firstAt = target.FirstAttemptAt is { } first ? DateTimeOffset.FromUnixTimeMilliseconds(first) : now.Now;
        using var ending = new CancellationTokenSource(LongestAttempt, clock);
        var delivery = new Delivery(post, account, target.IdempotencyKey, (int)target.Tries + 1, firstAt)
        {
            Progress = target.Progress,
            KeepAsync = (progress, cancellationToken) => attempts.KeepAsync(target, progress, now.Now.ToUnixTimeMilliseconds(), cancellationToken),
        };

        var began = clock.GetTimestamp();
        using var working = new CancellationTokenSource();
        var extending = ExtendAsync(target, ending, working.Token);
        SendOutcome outcome;
        var isFound = false;
        try
        {
            if (target.Doubt == TargetRow.LookFirst)
            {
                var found = await connector.FindAsync(delivery, ending.Token).ConfigureAwait(false);
                isFound = found.IsThere == true;
                outcome = found.IsThere switch
                {
                    true => new SendOutcome(SendResult.Sent, null) { ExternalId = found.ExternalId, Url = found.Url },
                    null => new SendOutcome(SendResult.Unknown, "It could not be confirmed whether it was posted."),
                    false => await connector.SendAsync(delivery, ending.Token).ConfigureAwait(false),
                };
            }
            else
            {
                outcome = await connector.SendAsync(delivery, ending.Token).ConfigureAwait(false);
            }
        }
        catch (LostClaimException)
        {
            throw;
        }
#pragma warning disable CA1031 // Whatever a connector throws: nobody knows whether it was posted.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.Threw(logger, target.Platform, target.Id, error.GetType().Name);
            outcome = new SendOutcome(SendResult.Unknown, "It could not be confirmed whether it was posted.");
        }
        finally
        {
            await working.CancelAsync().ConfigureAwait(false);
            await extending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        CrashPoints.Reached("attempt-sent");
        var latency = clock.GetElapsedTime(began);
        buckets.Learn(account, outcome);
        metrics.Count(target.Platform, isFound ? "found" : TargetAttempts.NameOf(outcome.Result));
        var next = await FollowAsync(connector, target, account, outcome, firstAt).ConfigureAwait(false);
        return await EndAsync(target, outcome, isFound ? "found" : TargetAttempts.NameOf(outcome.Result), latency, next, claimNext).ConfigureAwait(false);
    }

    /// <summary>What follows, with what it does to the account.</summary>
    private async Task<NextStep> FollowAsync(IPublishingConnector connector, TargetRow target, ConnectedAccount account, SendOutcome outcome, DateTimeOffset firstAt)
    {
        if (outcome.Result == SendResult.AccountGone)
            await vault.NeedsReconnectAsync(account.Id, outcome.Reason ?? "The platform does not know this account any more.", CancellationToken.None).ConfigureAwait(false);
        if (outcome.Result != SendResult.AuthRefused) return AfterAttempt.Of(connector.Repeats, target, outcome, firstAt, now.Now);

        if (_renewedAt.TryGet(account.Id, out var at) && clock.GetElapsedTime(at) < RenewedLately)
        {
            await vault.NeedsReconnectAsync(account.Id, outcome.Reason ?? "The platform refuses its tokens.", CancellationToken.None).ConfigureAwait(false);
            return WaitFor(target, AccountPause);
        }

        if (!await renewal.RenewAsync(account, CancellationToken.None).ConfigureAwait(false)) return WaitFor(target, AccountPause);
        _renewedAt.Set(account.Id, clock.GetTimestamp());
        return WaitFor(target, TimeSpan.Zero);
    }

    /// <summary>Nothing was sent, and it waits.</summary>
    private NextStep WaitFor(TargetRow target, TimeSpan wait) => AfterAttempt.Wait(target, now.Now + wait);

    private Task<(string State, TargetRow? Next)> RefuseAsync(TargetRow target, string reason, Func<bool> claimNext)
    {
        metrics.Count(target.Platform, "refused");
        return EndAsync(target, new SendOutcome(SendResult.Rejected, reason), null, default, new NextStep(TargetStates.Failed), claimNext);
    }

    private async Task<(string State, TargetRow? Next)> EndAsync(
        TargetRow target, SendOutcome outcome, string? outcomeName, TimeSpan latency, NextStep next, Func<bool> claimNext)
    {
        // Nothing ends the writing of an outcome but the end of the process: without it nobody would know what became of the attempt.
        var claimed = await attempts.EndAsync(target, outcome, outcomeName, latency, next, claimNext(), now.Now, CancellationToken.None).ConfigureAwait(false);
        CrashPoints.Reached("target-ended");
        return (next.State, claimed);
    }

    /// <summary>Says while an attempt lasts that this node is at work, and ends the attempt if the target is another's.</summary>
    private async Task ExtendAsync(TargetRow target, CancellationTokenSource attempt, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(options.Lease / 3, clock, cancellationToken).ConfigureAwait(false);
                await attempts.ExtendAsync(target, now.Now.ToUnixTimeMilliseconds(), cancellationToken).ConfigureAwait(false);
            }
        }
        catch (LostClaimException)
        {
            await attempt.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is StoreUnavailableException or OperationCanceledException)
        {
            // The attempt is over, or the lease runs out.
        }
    }

    private async Task<bool> IsThereAsync(string accountId, CancellationToken cancellationToken) =>
        (await store.QueryAsync<string>("SELECT status FROM connected_accounts WHERE id = @Id", new { Id = accountId }, cancellationToken).ConfigureAwait(false)).Count > 0;

    private static string HashOf(OutgoingPost post)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in new[] { post.Title, post.Text, post.Category }.Concat(post.Media.Select(static media => media.Id)))
        {
            digest.AppendData(Encoding.UTF8.GetBytes(part));
            digest.AppendData([0]);
        }

        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }

    private static partial class Log
    {
        [LoggerMessage(3101, LogLevel.Error, "Publishing on {Platform} threw {Fault}; what became of target {Target} is unknown")]
        public static partial void Threw(ILogger logger, string platform, string target, string fault);
    }
}
