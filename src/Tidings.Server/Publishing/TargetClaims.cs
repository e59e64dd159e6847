using System.Data.Common;
using System.Text.Json;
using Tidings.Server.Storage;

namespace Tidings.Server.Publishing;

/// <summary>
/// Takes targets that are due for this node, in short units that wait for nobody: what another node looks at is passed over. A claim raises the
/// target's attempt, and every later write of this node names it. Of each lane one target is on its way at a time, the oldest first; the database has
/// a unique index that says so too.
/// </summary>
internal sealed class TargetClaims(Store store, PublishingOptions options, NodeName node)
{
    /// <summary>How long one that waits for another try holds up what comes after it in its lane.</summary>
    public static readonly TimeSpan OrderPatience = TimeSpan.FromMinutes(5);

    private const string UniqueViolation = "23505";

    /// <summary>When the next target of each platform may be claimed, Unix milliseconds; without those that have none.</summary>
    public async Task<IReadOnlyList<(string Platform, long NextAt)>> NextAsync(IEnumerable<string> platforms, CancellationToken cancellationToken)
    {
        var asked = new { Platforms = JsonSerializer.Serialize(platforms) };
        var next = await store.QueryAsync<Next>(Sql.Next, asked, cancellationToken).ConfigureAwait(false);
        return [.. next.Where(static one => one.NextAt is not null).Select(static one => (one.Platform, one.NextAt!.Value))];
    }

    /// <summary>Claims what is first in its lane and due, the oldest first.</summary>
    /// <param name="platform">Of this platform.</param>
    /// <param name="from">Due from here on, Unix milliseconds.</param>
    /// <param name="before">And before this.</param>
    /// <param name="now">The time by the clock that decides what is due.</param>
    /// <param name="most">How many.</param>
    /// <param name="cancellationToken">Ends the waiting for the store.</param>
    public async Task<IReadOnlyList<TargetRow>> ClaimAsync(string platform, long from, long before, long now, int most, CancellationToken cancellationToken)
    {
        try
        {
            return await store.WriteAsync(
                write => ClaimAsync(write, Sql.Heads, new { Platform = platform, From = from, Before = before, Now = now, Patience = now - Patience, Take = most }, now),
                cancellationToken).ConfigureAwait(false);
        }
        catch (DbException taken) when (taken.SqlState == UniqueViolation)
        {
            return []; // another node began in one of these lanes at the same moment; the next look finds the others
        }
    }

    /// <summary>Claims the next of a lane, in the unit that ended the one before it.</summary>
    public async ValueTask<TargetRow?> ClaimNextAsync(IWriteUnit write, string lane, long now) =>
        (await ClaimAsync(write, Sql.NextOfLane, new { Lane = lane, Now = now, Patience = now - Patience, Take = 1 }, now).ConfigureAwait(false)) is [var next] ? next : null;

    /// <summary>When a claim or an attempt that is renewed now ends.</summary>
    public long LeaseFrom(long now) => now + (long)options.Lease.TotalMilliseconds;

    private static long Patience => (long)OrderPatience.TotalMilliseconds;

    private async ValueTask<IReadOnlyList<TargetRow>> ClaimAsync(IWriteUnit write, string select, object asked, long now)
    {
        // Two statements: a locking query inside of the update may be run more than once by the planner, and then takes more than it was asked for.
        var ids = await write.QueryAsync<string>(select, asked).ConfigureAwait(false);
        if (ids.Count == 0) return [];
        var claimed = await write.QueryAsync<TargetRow>(
            Sql.Claim, new { Ids = JsonSerializer.Serialize(ids), Owner = node.Value, LeaseUntil = LeaseFrom(now), Now = now }).ConfigureAwait(false);
        return [.. claimed.OrderBy(static target => target.DueAt).ThenBy(static target => target.Id, StringComparer.Ordinal)];
    }

    private sealed record Next
    {
        public string Platform { get; init; } = "";
        public long? NextAt { get; init; }
    }

    private static class Sql
    {
        /// <summary>One look-up in the index for each platform, however many targets wait for their time.</summary>
        public const string Next = """
            SELECT p.value AS Platform, (SELECT min(t.next_at) FROM targets t WHERE t.platform = p.value AND t.state IN ('pending', 'retry_wait')) AS NextAt
            FROM json_each(@Platforms) p
            """;

        /// <summary>Due, its account is connected, and it was not missed: that is for <see cref="MissedTargets"/>.</summary>
        private const string IsClaimable = """
            t.state IN ('pending', 'retry_wait') AND t.next_at <= @Now AND (t.tries > 0 OR t.miss_at > @Now)
            AND NOT EXISTS (SELECT 1 FROM connected_accounts a WHERE a.id = t.account_id AND a.status <> 'connected')
            """;

        /// <summary>Nothing of its lane is on its way, and nothing older waits, unless for another try of a thing that has been late for long.</summary>
        private const string IsFirst = """
            NOT EXISTS (SELECT 1 FROM targets o WHERE o.lane = t.lane AND o.state IN ('claimed', 'sending'))
            AND NOT EXISTS (
                SELECT 1 FROM targets e
                WHERE e.lane = t.lane AND e.state IN ('pending', 'retry_wait') AND (e.due_at, e.id) < (t.due_at, t.id)
                  AND (e.next_at <= @Now OR e.due_at > @Patience))
            """;

        public const string Heads = $"""
            SELECT t.id FROM targets t
            WHERE t.platform = @Platform AND t.due_at >= @From AND t.due_at < @Before AND {IsClaimable} AND {IsFirst}
            ORDER BY t.next_at, t.id LIMIT @Take /*FOR UPDATE OF t SKIP LOCKED*/
            """;

        public const string NextOfLane = $"""
            SELECT t.id FROM targets t WHERE t.lane = @Lane AND {IsClaimable} AND {IsFirst} ORDER BY t.due_at, t.id LIMIT @Take /*FOR UPDATE OF t SKIP LOCKED*/
            """;

        public const string Claim = $"""
            UPDATE targets SET state = 'claimed', attempt = attempt + 1, owner = @Owner, lease_until = @LeaseUntil, updated_at = @Now
            WHERE id IN (SELECT value FROM json_each(@Ids)) AND state IN ('pending', 'retry_wait') AND next_at <= @Now
            RETURNING {TargetRow.Columns}
            """;
    }
}

/// <summary>What this process is called where it claims something: the machine, the process, and a number that no other start has.</summary>
internal sealed record NodeName(string Value)
{
    /// <summary>A new one.</summary>
    public static NodeName New() => new($"{Environment.MachineName}:{Environment.ProcessId}:{Guid.NewGuid():N}");
}
