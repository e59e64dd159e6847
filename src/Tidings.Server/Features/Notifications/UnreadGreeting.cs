using System.Text.Json;
using Dapper;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;
using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Notifications;

/// <summary>
/// Sends <c>unread_notifications</c> to a connection that has subscribed to its user's notifications: the newest, and how many are unread.
/// Many who come back at a time cost a handful of queries.
/// </summary>
internal sealed class UnreadGreeting : IChannelGreeting
{
    private const string Type = "unread_notifications";
    private const int Newest = 20;

    private static readonly UnreadNotificationsPayload Nothing = new([], 0, 0);

    private readonly BatchLoader<string, UnreadNotificationsPayload> _boxes;
    private readonly TimeProvider _clock;

    public UnreadGreeting(Store store, TimeProvider clock)
    {
        _clock = clock;
        _boxes = new BatchLoader<string, UnreadNotificationsPayload>(users => ReadAsync(store, users), clock);
    }

    /// <inheritdoc />
    public bool Greets(ChannelName channel) => channel.Kind == EventChannels.NotificationsKind;

    /// <inheritdoc />
    public async ValueTask<PublicationDraft?> MakeAsync(ClientIdentity identity, ChannelName channel, CancellationToken cancellationToken)
    {
        var payload = await _boxes.LoadAsync(channel.Id, cancellationToken).ConfigureAwait(false) ?? Nothing;
        var now = _clock.GetUtcNow();
        return new PublicationDraft
        {
            Channel = channel,
            Type = Type,
            Id = Guid.CreateVersion7(now).ToString("N"),
            Timestamp = now,
            Payload = EventJson.Write(payload),
        };
    }

    private static Task<IReadOnlyDictionary<string, UnreadNotificationsPayload>> ReadAsync(Store store, IReadOnlyCollection<string> users) =>
        store.ReadAsync<IReadOnlyDictionary<string, UnreadNotificationsPayload>>(
            async connection =>
            {
                var asked = new { Users = JsonSerializer.Serialize(users), Newest };
                var boxes = await connection.QueryAsync<Box>(Sql.Boxes, asked).ConfigureAwait(false);
                var rows = (await connection.QueryAsync<NotificationRow>(Sql.Rows, asked).ConfigureAwait(false)).ToLookup(row => row.UserId, StringComparer.Ordinal);
                return boxes.ToDictionary(
                    box => box.UserId,
                    box => new UnreadNotificationsPayload(
                        [.. rows[box.UserId].OrderByDescending(row => row.Place).Select(row => row.Normalise())], box.Unread, box.Version),
                    StringComparer.Ordinal);
            },
            CancellationToken.None);

    private sealed record Box(string UserId, long Unread, long Version);

    private static class Sql
    {
        public const string Boxes = """
            SELECT user_id AS UserId, unread AS Unread, version AS Version
            FROM notification_boxes WHERE user_id IN (SELECT value FROM json_each(@Users))
            """;

        public const string Rows = $"""
            WITH newest (owner, least) AS MATERIALIZED (
                SELECT b.user_id, coalesce((SELECT m.place FROM notifications m WHERE m.user_id = b.user_id ORDER BY m.place DESC LIMIT 1 OFFSET @Newest - 1), 0)
                FROM notification_boxes b WHERE b.user_id IN (SELECT value FROM json_each(@Users)))
            SELECT {NotificationRow.Columns} FROM newest JOIN notifications ON user_id = owner AND place >= least
            """;
    }
}
