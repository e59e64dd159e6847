using System.Globalization;
using System.Text.Json;
using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Privacy;

/// <summary>
/// Everything that is kept of a user, as one JSON object of lists, as it is in the database: nothing is left out because nobody thought of a
/// field for it, but for secrets. It is read in pieces while it is sent, so a large account costs no memory.
/// </summary>
internal static class ExportUser
{
    private const int Piece = 500;

    /// <summary>What there is, by its key in the export: a query of a piece whose first column is where the next one goes on.</summary>
    private static readonly (string Name, string Sql)[] Sections =
    [
        ("account", """
            SELECT id AS k, nickname, full_name, avatar, email, is_creator, posts_count, followers_count, subscribers_count, show_online, created_at
            FROM users WHERE id = @Me AND id > @After ORDER BY id LIMIT @Piece
            """),
        ("sessions", "SELECT id AS k, created_at, expires_at, last_seen_at FROM sessions WHERE user_id = @Me AND id > @After ORDER BY id LIMIT @Piece"),
        ("posts", """
            SELECT id AS k, created_at, updated_at, status, scheduled_at, local_time, time_zone, title, content, category, media_type, media_url, thumbnail, is_locked, price, currency, tier, likes_count, comments_count
            FROM posts WHERE author_id = @Me AND deleted = 0 AND id > @After ORDER BY id LIMIT @Piece
            """),
        ("targets", """
            SELECT id AS k, post_id, account_id, platform, state, due_at, first_attempt_at, external_id, url, reason FROM targets
            WHERE user_id = @Me AND id > @After ORDER BY id LIMIT @Piece
            """),
        ("media", "SELECT id AS k, post_id, created_at, content_type, bytes, width, height FROM media WHERE owner_id = @Me AND id > @After ORDER BY id LIMIT @Piece"),
        ("comments", "SELECT id AS k, post_id, parent_id, created_at, updated_at, content FROM comments WHERE author_id = @Me AND deleted <> 1 AND id > @After ORDER BY id LIMIT @Piece"),
        ("likes", "SELECT post_id AS k, created_at FROM post_likes WHERE user_id = @Me AND post_id > @After ORDER BY post_id LIMIT @Piece"),
        ("following", "SELECT creator_id AS k, created_at FROM follows WHERE follower_id = @Me AND creator_id > @After ORDER BY creator_id LIMIT @Piece"),
        ("tiers", "SELECT name AS k, level, price, currency FROM tiers WHERE creator_id = @Me AND name > @After ORDER BY name LIMIT @Piece"),
        ("subscriptions", "SELECT id AS k, creator_id, level, status, expires_at, created_at FROM subscriptions WHERE user_id = @Me AND id > @After ORDER BY id LIMIT @Piece"),
        ("purchases", "SELECT payment_id AS k, post_id, created_at FROM purchases WHERE user_id = @Me AND payment_id > @After ORDER BY payment_id LIMIT @Piece"),
        ("payments", "SELECT id AS k, kind, creator_id, post_id, amount, currency, reference, status, created_at FROM payments WHERE user_id = @Me AND id > @After ORDER BY id LIMIT @Piece"),
        ("conversations", "SELECT conversation_id AS k, joined_at FROM conversation_members WHERE user_id = @Me AND conversation_id > @After ORDER BY conversation_id LIMIT @Piece"),
        ("messages", "SELECT id AS k, conversation_id, created_at, content FROM messages WHERE author_id = @Me AND id > @After ORDER BY id LIMIT @Piece"),
        ("notifications", "SELECT id AS k, type, title, message, data, is_read, created_at FROM notifications WHERE user_id = @Me AND id > @After ORDER BY id LIMIT @Piece"),
        ("mutedNotifications", "SELECT type AS k FROM muted_notifications WHERE user_id = @Me AND type > @After ORDER BY type LIMIT @Piece"),
        ("blocked", "SELECT blocked_id AS k, created_at FROM blocks WHERE blocker_id = @Me AND blocked_id > @After ORDER BY blocked_id LIMIT @Piece"),
        ("connectedAccounts", """
            SELECT id AS k, platform, external_id, handle, base_url, status, reason, created_at
            FROM connected_accounts WHERE user_id = @Me AND status <> 'authorizing' AND id > @After ORDER BY id LIMIT @Piece
            """),
        ("figures", """
            SELECT CAST(day AS text) AS k, likes, comments, followers FROM creator_days
            WHERE creator_id = @Me AND CAST(day AS text) > @After ORDER BY CAST(day AS text) LIMIT @Piece
            """),
        ("reports", "SELECT id AS k, kind, object_id, reason, note, status, created_at FROM reports WHERE reporter_id = @Me AND id > @After ORDER BY id LIMIT @Piece"),
    ];

    public static async Task HandleAsync(HttpContext http, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        http.Response.ContentType = "application/json";
        http.Response.Headers.ContentDisposition = "attachment; filename=\"tidings-export.json\"";
        await using var json = new Utf8JsonWriter(http.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteString("exportedAt", clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        foreach (var (name, sql) in Sections)
        {
            json.WriteStartArray(name);
            for (string? after = ""; after is not null;)
            {
                var asked = new { Me = user.Id, After = after, Piece };
                var rows = (await store.ReadAsync(async connection => await connection.QueryAsync(sql, asked), cancellationToken)).Cast<IDictionary<string, object?>>().ToList();
                foreach (var row in rows) Write(json, row);
                await json.FlushAsync(cancellationToken);
                await http.Response.BodyWriter.FlushAsync(cancellationToken);
                after = rows.Count == Piece ? (string)rows[^1]["k"]! : null;
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, IDictionary<string, object?> row)
    {
        json.WriteStartObject();
        foreach (var (column, value) in row)
        {
            json.WritePropertyName(column == "k" ? "id" : column);
            if (value is long number) json.WriteNumberValue(number);
            else if (value is string text) json.WriteStringValue(text);
            else json.WriteNullValue();
        }

        json.WriteEndObject();
    }
}
