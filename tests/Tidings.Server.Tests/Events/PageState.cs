using System.Text.Json.Nodes;
using Tidings.Server.Tests.Posts;

namespace Tidings.Server.Tests.Events;

/// <summary>
/// What a page shows of one post and one user's notifications, by the rules that docs/protocol.md gives to clients: of each thing the
/// newest version counts, and a deletion beats everything. Nothing else is known of the order in which events arrive.
/// </summary>
internal sealed class PageState
{
    private readonly Dictionary<string, (long Version, string Text)> _comments = [];
    private readonly HashSet<string> _deleted = [];
    private readonly Dictionary<string, (long Version, string Shown)> _notifications = [];
    private readonly Dictionary<string, long> _readAt = [];
    private (long Version, string Text) _post;
    private (long Version, long Count) _likes;
    private (long Version, long Count) _commentsCount;
    private (long Version, long Count) _unread;
    private long _allReadAt;
    private long _clearedAt;

    /// <summary>Applies an event.</summary>
    public void Apply(string type, JsonNode payload)
    {
        var version = payload["version"]?.GetValue<long>() ?? 0;
        switch (type)
        {
            case "post_updated":
                if (version > _post.Version) _post = (version, payload.Text("post.content.text"));
                Count(ref _likes, version, payload["post"]!["metadata"]!["likesCount"]!);
                Count(ref _commentsCount, version, payload["post"]!["metadata"]!["commentsCount"]!);
                break;
            case "post_liked" or "post_unliked":
                Count(ref _likes, version, payload["likesCount"]!);
                break;
            case "comment_added" or "comment_updated":
                var id = payload.Text("comment.id");
                if (version > _comments.GetValueOrDefault(id).Version) _comments[id] = (version, payload.Text("comment.content"));
                Count(ref _commentsCount, version, payload["commentsCount"]!);
                break;
            case "comment_deleted":
                _deleted.Add(payload.Text("commentId"));
                Count(ref _commentsCount, version, payload["commentsCount"]!);
                break;
            case "notification":
                var told = payload.Text("notification.id");
                if (version > _notifications.GetValueOrDefault(told).Version) _notifications[told] = (version, payload.Text("notification.message"));
                Count(ref _unread, version, payload["unreadCount"]!);
                break;
            case "notification_read" when payload.Text("notificationId") == "all":
                _allReadAt = Math.Max(_allReadAt, version);
                Count(ref _unread, version, payload["unreadCount"]!);
                break;
            case "notification_read":
                var read = payload.Text("notificationId");
                _readAt[read] = Math.Max(_readAt.GetValueOrDefault(read), version);
                Count(ref _unread, version, payload["unreadCount"]!);
                break;
            case "notifications_cleared":
                _clearedAt = Math.Max(_clearedAt, version);
                Count(ref _unread, version, payload["unreadCount"]!);
                break;
        }
    }

    /// <summary>Everything that is shown, as text.</summary>
    public string Describe(string firstText) => Describe(
        _post.Version == 0 ? firstText : _post.Text,
        _likes.Count,
        _commentsCount.Count,
        _comments.Where(comment => !_deleted.Contains(comment.Key)).Select(comment => $"{comment.Key}={comment.Value.Text}"),
        _unread.Count,
        _notifications.Where(one => one.Value.Version > _clearedAt)
            .Select(one => $"{one.Key}={one.Value.Shown} {IsRead(one.Key, one.Value.Version)}"));

    /// <summary>The same of what the server answers.</summary>
    public static string Describe(string text, long likes, long count, IEnumerable<string> comments, long unread, IEnumerable<string> notifications) =>
        $"{text}; {likes} likes; {count} comments: {string.Join(", ", comments.Order(StringComparer.Ordinal))}; "
        + $"{unread} unread: {string.Join(", ", notifications.Order(StringComparer.Ordinal))}";

    private bool IsRead(string id, long version) => _allReadAt > version || _readAt.GetValueOrDefault(id) > version;

    private static void Count(ref (long Version, long Count) counter, long version, JsonNode count)
    {
        if (version > counter.Version) counter = (version, count.GetValue<long>());
    }
}
