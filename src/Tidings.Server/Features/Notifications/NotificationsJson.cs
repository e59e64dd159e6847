using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Tidings.Server.Events;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Notifications;

/// <summary>What several of a kind have in common: how many, and the latest few who did it, the latest first.</summary>
internal sealed record GroupData(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? PostId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ConversationId,
    long Count,
    IReadOnlyList<PostCreator> Actors);

/// <summary>What a notification of a comment is about.</summary>
internal sealed record CommentData(string PostId, string CommentId, string? ParentId, PostCreator Actor);

/// <summary>What a notification of a subscriber is about.</summary>
internal sealed record SubscriberData(string SubscriptionId, long Level, string? Tier, PostCreator Actor);

/// <summary>A creator who posted, and the latest post.</summary>
internal sealed record NewPostsOfCreator(PostCreator Creator, string PostId);

/// <summary>What the derived notification of new posts is about: the creators, who posted last first.</summary>
internal sealed record NewPostsData(IReadOnlyList<NewPostsOfCreator> Creators);

/// <summary>A page of notifications. <paramref name="NextCursor"/> is null at the end; <paramref name="UnreadCount"/> is of all that are kept.</summary>
internal sealed record NotificationPage(IReadOnlyList<NormalisedNotification> Notifications, string? NextCursor, long UnreadCount, long Version)
{
    /// <summary>Where the channel stood before the page was read.</summary>
    public IReadOnlyDictionary<string, string> Positions { get; init; } = new Dictionary<string, string>();
}

/// <summary>What a backend gets that notified a user; null if the user does not want to hear of that.</summary>
internal sealed record NotificationAnswer(NormalisedNotification? Notification);

/// <summary>How many are unread.</summary>
internal sealed record UnreadAnswer(long UnreadCount);

/// <summary>The types of notifications, and whether the user wants them.</summary>
internal sealed record PreferencesAnswer(IReadOnlyDictionary<string, bool> Preferences);

/// <summary>The shapes of notifications.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(InstantJson)])]
[JsonSerializable(typeof(GroupData))]
[JsonSerializable(typeof(CommentData))]
[JsonSerializable(typeof(SubscriberData))]
[JsonSerializable(typeof(TipView))]
[JsonSerializable(typeof(NewPostsData))]
[JsonSerializable(typeof(NotificationPage))]
[JsonSerializable(typeof(NotificationAnswer))]
[JsonSerializable(typeof(UnreadAnswer))]
[JsonSerializable(typeof(PreferencesAnswer))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class NotificationsJson : JsonSerializerContext
{
    /// <summary>With the options of events, so that a notification is the same bytes everywhere.</summary>
    public static NotificationsJson Answers => field ??= new(EventJson.Options(Default.Options));

    /// <summary>The text of a notification's data.</summary>
    public static byte[] Write<T>(T data, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(data, type);
}

/// <summary>The shapes of the notifications' requests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NotifyFromBackend.Request), TypeInfoPropertyName = "NotifyFromBackend")]
[JsonSerializable(typeof(Preferences.Request), TypeInfoPropertyName = "PutPreferences")]
internal sealed partial class NotificationsRequestJson : JsonSerializerContext
{
    public static NotificationsRequestJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
