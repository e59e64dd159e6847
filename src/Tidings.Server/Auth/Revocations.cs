using System.Collections.Concurrent;
using Dapper;
using Tidings.Realtime.Channels;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Auth;

/// <summary>
/// What the backend took back: credentials that were issued up to that moment open nothing any more, those of later do. Kept on disk until
/// no token from before can be alive, and in memory, where every look-up is answered. Safe for all threads.
/// </summary>
internal sealed class Revocations(Store store, TidingsOptions options, TimeProvider clock) : IHostedService
{
    /// <summary>The most that may be kept at a time.</summary>
    public const int MaxKept = 1_000_000;

    private const string Everybody = "";
    private const string Connections = "";

    private readonly ConcurrentDictionary<(string UserId, string Channel), long> _revokedAt = new();

    /// <summary>How long a revocation matters: no token lives longer.</summary>
    private TimeSpan Lifetime => options.Auth.MaxTokenLifetime + (2 * options.Auth.ClockSkew);

    /// <summary>Reads what was revoked before this process began.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var rows = await store.ReadAsync(connection => connection.QueryAsync<Row>(Sql.All, new { After = OldestThatMatters() }), cancellationToken);
        foreach (var row in rows) _revokedAt[(row.UserId, row.Channel)] = row.RevokedAt;
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Takes a channel from a user, or from everybody if the user is null: subscription tokens of before, and remembered answers.</summary>
    /// <returns>False if too much is kept already.</returns>
    public Task<bool> RevokeChannelAsync(ChannelName channel, string? userId, CancellationToken cancellationToken) =>
        RevokeAsync(userId ?? Everybody, channel.Value, cancellationToken);

    /// <summary>Takes live connections from a user's tokens of before.</summary>
    /// <returns>False if too much is kept already.</returns>
    public Task<bool> RevokeTokensAsync(string userId, CancellationToken cancellationToken) => RevokeAsync(userId, Connections, cancellationToken);

    /// <summary>
    /// Whether a token of a user opens no live connection any more. Tokens tell whole seconds, so those of the same second do not; nor do
    /// those that do not say when they were issued.
    /// </summary>
    public bool CoverToken(string userId, DateTimeOffset? issuedAt) => Covers((userId, Connections), issuedAt);

    /// <summary>Whether a subscription token, or an answer of the host app, does not open a channel any more.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="userId">Who shows it; null for a visitor.</param>
    /// <param name="issuedAt">When it was issued; null if that is not known.</param>
    public bool CoverChannel(ChannelName channel, string? userId, DateTimeOffset? issuedAt) =>
        Covers((Everybody, channel.Value), issuedAt) || (userId is not null && Covers((userId, channel.Value), issuedAt));

    /// <summary>Takes in what another node wrote.</summary>
    /// <returns>False if it is known already.</returns>
    public bool Learn(string userId, string channel, long revokedAt)
    {
        if (_revokedAt.TryGetValue((userId, channel), out var known) && known >= revokedAt) return false;
        _revokedAt.AddOrUpdate((userId, channel), revokedAt, (_, other) => Math.Max(other, revokedAt));
        return true;
    }

    private bool Covers((string, string) key, DateTimeOffset? issuedAt) =>
        _revokedAt.TryGetValue(key, out var revokedAt) && (issuedAt is not { } issued || issued.ToUnixTimeMilliseconds() <= revokedAt);

    private async Task<bool> RevokeAsync(string userId, string channel, CancellationToken cancellationToken)
    {
        if (_revokedAt.Count >= MaxKept) return false;

        var row = new { UserId = userId, Channel = channel, RevokedAt = clock.GetUtcNow().ToUnixTimeMilliseconds(), After = OldestThatMatters() };
        var old = await store.WriteAsync(
            async write =>
            {
                var over = await write.QueryAsync<Row>(Sql.SomeOld, row);
                foreach (var one in over) await write.ExecuteAsync(Sql.Delete, new { one.UserId, one.Channel });
                await write.ExecuteAsync(Sql.Put, row);
                return over;
            },
            cancellationToken);

        foreach (var one in old) _revokedAt.TryRemove(KeyValuePair.Create((one.UserId, one.Channel), one.RevokedAt));
        _revokedAt.AddOrUpdate((userId, channel), row.RevokedAt, (_, known) => Math.Max(known, row.RevokedAt));
        return true;
    }

    private long OldestThatMatters() => (clock.GetUtcNow() - Lifetime).ToUnixTimeMilliseconds();

    private sealed record Row(string UserId, string Channel, long RevokedAt);

    private static class Sql
    {
        private const string Columns = "SELECT user_id AS UserId, channel AS Channel, revoked_at AS RevokedAt FROM revocations";

        public const string All = $"{Columns} WHERE revoked_at > @After";
        public const string SomeOld = $"{Columns} WHERE revoked_at <= @After LIMIT 100";
        public const string Delete = "DELETE FROM revocations WHERE user_id = @UserId AND channel = @Channel";

        public const string Put = """
            INSERT INTO revocations (user_id, channel, revoked_at) VALUES (@UserId, @Channel, @RevokedAt)
            ON CONFLICT (user_id, channel) DO UPDATE SET revoked_at = excluded.revoked_at WHERE revocations.revoked_at < excluded.revoked_at
            """;
    }
}
