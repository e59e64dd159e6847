using System.Data.Common;
using Dapper;
using Tidings.Realtime.History;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Notifications;

/// <summary>
/// A page of the user's notifications, the newest first. The first page begins with what is derived: that creators posted whom the user
/// follows (<see cref="NewPosts"/>).
/// </summary>
internal static class ListNotifications
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    public static async Task<IResult> HandleAsync(
        CurrentUser user, Store store, IDurableEventLog log, string? cursor, string? limit, CancellationToken cancellationToken)
    {
        if (!PageLimit.TryParse(limit, DefaultLimit, MaxLimit, out var take)) return PageLimit.Refusal(MaxLimit);
        var from = PlaceCursor.Newest;
        if (!string.IsNullOrEmpty(cursor) && !PlaceCursor.TryParse(cursor, out from))
            return Problems.Problem(400, "invalid_cursor", "This cursor was not given out by this server: ask for the first page.");

        var positions = await log.OfChannelAsync(EventChannels.Notifications(user.Id), user.Id, cancellationToken);
        var page = await store.ReadAsync(connection => ReadAsync(connection, user.Id, from, take), cancellationToken);
        return TypedResults.Json(page with { Positions = positions }, NotificationsJson.Answers.NotificationPage);
    }

    private static async Task<NotificationPage> ReadAsync(DbConnection connection, string userId, PlaceCursor from, int take)
    {
        var box = await connection.QuerySingleOrDefaultAsync<Box>(Sql.Box, new { UserId = userId }).ConfigureAwait(false) ?? new Box(0, 0, 0);
        var rows = (await connection.QueryAsync<NotificationRow>(Sql.Page, new { UserId = userId, from.Place, Take = take + 1 }).ConfigureAwait(false)).AsList();
        var derived = from == PlaceCursor.Newest ? await NewPosts.ReadAsync(connection, userId, box.PostsSeenAt).ConfigureAwait(false) : null;

        var hasMore = rows.Count > take;
        if (hasMore) rows.RemoveAt(take);
        var notifications = rows.ConvertAll(row => row.Normalise());
        if (derived is not null) notifications.Insert(0, derived);
        return new NotificationPage(notifications, hasMore ? new PlaceCursor(rows[^1].Place).ToString() : null, box.Unread, box.Version);
    }

    private sealed record Box(long Unread, long Version, long PostsSeenAt);

    private static class Sql
    {
        public const string Box = "SELECT unread AS Unread, version AS Version, posts_seen_at AS PostsSeenAt FROM notification_boxes WHERE user_id = @UserId";

        public const string Page = $"""
            SELECT {NotificationRow.Columns} FROM notifications
            WHERE user_id = @UserId AND place < @Place ORDER BY place DESC LIMIT @Take
            """;
    }
}
