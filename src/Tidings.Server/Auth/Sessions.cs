using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Dapper;
using Tidings.Server.Auth.Jwt;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Auth;

/// <summary>
/// The sessions: 30 days from their last day of use. What was looked up is believed for 30 seconds, so that most requests read nothing;
/// an end on this node is known at once, one on another node within that time. Safe for all threads.
/// </summary>
internal sealed class Sessions(Store store, TimeProvider clock)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);

    private const int CookieBytes = 32;
    private const int MaxPerUser = 50;
    private const int Cached = 20_000;

    private static readonly TimeSpan RenewedAfter = TimeSpan.FromDays(1);
    private static readonly TimeSpan BelievedFor = TimeSpan.FromSeconds(30);

    private readonly BoundedCache<SessionDigest, Known> _byDigest = new(Cached);
    private readonly BoundedCache<string, Known> _byId = new(Cached);
    private readonly BoundedCache<string, bool> _ended = new(Cached);

    private sealed record Known(Session Session, long Since);

    /// <summary>Raised after a session has ended by signing out or by force, not by time; on any thread, so handlers are quick.</summary>
    public event Action<Session>? Ended;

    /// <summary>Begins a session. A user's oldest end when there are too many.</summary>
    public async Task<NewSession> StartAsync(string userId, CancellationToken cancellationToken)
    {
        var value = RandomNumberGenerator.GetBytes(CookieBytes);
        var now = clock.GetUtcNow();
        var session = new Session(SessionIds.Create(), userId, SessionDigest.Of(value), now + Lifetime);
        var row = new
        {
            session.Id,
            Hash = session.Digest.ToBytes(),
            UserId = userId,
            Now = now.ToUnixTimeMilliseconds(),
            ExpiresAt = session.ExpiresAt.ToUnixTimeMilliseconds(),
            Kept = MaxPerUser - 1,
        };

        var surplus = await store.WriteAsync(
            async write =>
            {
                await write.ExecuteAsync(Sql.DeleteSomeExpired, row);
                var oldest = await write.QueryAsync<Row>(Sql.Oldest, row);
                foreach (var old in oldest) await write.ExecuteAsync(Sql.Delete, new { old.Id });
                await write.ExecuteAsync(Sql.Insert, row);
                return oldest;
            },
            cancellationToken);

        foreach (var old in surplus) Forget(old.ToSession());
        Remember(session);
        return new NewSession(session, Base64Url.EncodeToString(value));
    }

    /// <summary>The session of a cookie, or null.</summary>
    public async ValueTask<Session?> FindByCookieAsync(string value, CancellationToken cancellationToken)
    {
        if (value.Length != 43 || CanonicalBase64Url.Decode(value) is not { Length: CookieBytes } bytes) return null;
        var digest = SessionDigest.Of(bytes);
        return _byDigest.TryGet(digest, out var known) && IsFresh(known)
            ? IfAlive(known.Session)
            : await LoadAsync(Sql.ByHash, new { Hash = digest.ToBytes() }, cancellationToken);
    }

    /// <summary>The session of a token's <c>sid</c>, or null.</summary>
    public async ValueTask<Session?> FindByIdAsync(string id, CancellationToken cancellationToken)
    {
        if (_ended.TryGet(id, out _)) return null;
        if (_byId.TryGet(id, out var known) && IsFresh(known)) return IfAlive(known.Session);

        var session = await LoadAsync(Sql.ById, new { Id = id }, cancellationToken);
        if (session is null) _ended.Set(id, true);   // ids come from signed tokens, and none begins twice
        return session;
    }

    /// <summary>Whether a session has been used long enough to last longer from now on, so that its cookie is sent again.</summary>
    public async ValueTask<Session?> RenewAsync(Session session, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (session.ExpiresAt - now > Lifetime - RenewedAfter) return null;

        var renewed = session with { ExpiresAt = now + Lifetime };
        var row = new { session.Id, Now = now.ToUnixTimeMilliseconds(), ExpiresAt = renewed.ExpiresAt.ToUnixTimeMilliseconds() };
        try
        {
            if (await store.WriteAsync(write => write.ExecuteAsync(Sql.Renew, row), cancellationToken) == 0) return null;
        }
        catch (StoreUnavailableException)
        {
            return null;   // there is time for that: it is good for weeks
        }

        Remember(renewed);
        return renewed;
    }

    /// <summary>Ends a session; does nothing if there is none.</summary>
    public Task EndAsync(string id, CancellationToken cancellationToken) => EndAsync(Sql.ById, new { Id = id, UserId = "" }, cancellationToken);

    /// <summary>Ends all sessions of a user.</summary>
    public Task EndAllOfAsync(string userId, CancellationToken cancellationToken) => EndAsync(Sql.OfUser, new { Id = "", UserId = userId }, cancellationToken);

    /// <summary>Another node has ended a session.</summary>
    public void TakeNoteOfEnd(string id)
    {
        _ended.Set(id, true);
        if (_byId.TryGet(id, out var known)) _byDigest.Remove(known.Session.Digest);
        _byId.Remove(id);
    }

    /// <summary>Which of some sessions have not ended.</summary>
    public async Task<IReadOnlySet<string>> FindExistingAsync(IReadOnlyList<string> ids, CancellationToken cancellationToken) =>
        (await store.ReadAsync(connection => connection.QueryAsync<string>(Sql.Existing, new { Ids = JsonSerializer.Serialize(ids) }), cancellationToken)).ToHashSet(StringComparer.Ordinal);

    private async Task EndAsync(string which, object key, CancellationToken cancellationToken)
    {
        var rows = await store.WriteAsync(
            async write =>
            {
                var found = await write.QueryAsync<Row>(which, key);
                foreach (var row in found) await write.ExecuteAsync(Sql.Delete, new { row.Id });
                return found;
            },
            cancellationToken);

        foreach (var row in rows) Forget(row.ToSession());
    }

    private async ValueTask<Session?> LoadAsync(string sql, object key, CancellationToken cancellationToken)
    {
        var row = await store.ReadAsync(connection => connection.QuerySingleOrDefaultAsync<Row>(sql, key), cancellationToken);
        if (row is null || IfAlive(row.ToSession()) is not { } session) return null;
        Remember(session);
        return session;
    }

    /// <summary>A row that was read just before the session ended must not bring it back: ends are remembered.</summary>
    private Session? IfAlive(Session session) => session.ExpiresAt > clock.GetUtcNow() && !_ended.TryGet(session.Id, out _) ? session : null;

    private bool IsFresh(Known known) => clock.GetElapsedTime(known.Since) < BelievedFor;

    private void Remember(Session session)
    {
        var known = new Known(session, clock.GetTimestamp());
        _byDigest.Set(session.Digest, known);
        _byId.Set(session.Id, known);
    }

    private void Forget(Session session)
    {
        _ended.Set(session.Id, true);
        _byDigest.Remove(session.Digest);
        _byId.Remove(session.Id);
        Ended?.Invoke(session);
    }

    private sealed class Row
    {
        public string Id { get; init; } = "";

        public string UserId { get; init; } = "";

        public byte[] TokenHash { get; init; } = [];

        public long ExpiresAt { get; init; }

        public Session ToSession() => new(Id, UserId, SessionDigest.From(TokenHash), DateTimeOffset.FromUnixTimeMilliseconds(ExpiresAt));
    }

    private static class Sql
    {
        private const string Columns = "SELECT id AS Id, user_id AS UserId, token_hash AS TokenHash, expires_at AS ExpiresAt FROM sessions";

        public const string ById = $"{Columns} WHERE id = @Id";
        public const string ByHash = $"{Columns} WHERE token_hash = @Hash";
        public const string OfUser = $"{Columns} WHERE user_id = @UserId";
        public const string Oldest = $"{Columns} WHERE user_id = @UserId ORDER BY created_at DESC, id LIMIT 1000 OFFSET @Kept";
        public const string Existing = "SELECT id FROM sessions WHERE id IN (SELECT value FROM json_each(@Ids))";
        public const string Delete = "DELETE FROM sessions WHERE id = @Id";
        public const string DeleteSomeExpired = "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= @Now LIMIT 100 /*FOR UPDATE SKIP LOCKED*/)";
        public const string Renew = "UPDATE sessions SET expires_at = @ExpiresAt, last_seen_at = @Now WHERE id = @Id";

        public const string Insert = """
            INSERT INTO sessions (id, token_hash, user_id, created_at, expires_at, last_seen_at)
            VALUES (@Id, @Hash, @UserId, @Now, @ExpiresAt, @Now)
            """;
    }
}
