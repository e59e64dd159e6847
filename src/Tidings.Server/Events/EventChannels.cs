using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Events;

/// <summary>
/// The one table of who hears about what, and what each may see of it: an event in, deliveries out. It asks nobody and changes nothing.
/// A single follow is no event of the creator's channel: a creator who is followed by thousands would flood it.
/// </summary>
internal static class EventChannels
{
    /// <summary>Where public posts of everyone are announced.</summary>
    public static readonly ChannelName PublicPosts = new("public", "posts");

    /// <summary>The kind of the channels of users' notifications.</summary>
    public const string NotificationsKind = "notifications";

    /// <summary>Where nodes learn what changes their readers' rights. Nobody outside can name it.</summary>
    public static readonly ChannelName BetweenNodes = new("tidings", "access");

    /// <summary>The deliveries of an event.</summary>
    /// <exception cref="InvalidOperationException">The event has no row here.</exception>
    public static IReadOnlyList<Delivery> For(DomainEvent happened) => happened switch
    {
        PostCreated e => Created(e),
        PostUpdated e => Updated(e.Post),
        PostDeleted e => Deleted(e, new PostDeletedPayload(e.PostId, e.Version)),
        DraftSaved e => [new(User(e.Post.Creator.Id), "post:created", new DraftPayload(e.Post.Id, e.Post.Content.Text, e.Post.Metadata.Status))],
        TargetNews e => [new(User(e.AuthorId), e.Type, new TargetNewsPayload(e.PostId, e.Platform, e.Platforms, e.Error))],
        PublishingChanged e => StatusOf(e),

        PostLiked e => [new(Post(e.PostId), "post_liked", new LikesPayload(e.PostId, e.LikesCount, e.Version, e.UserId, e.Changes))],
        PostUnliked e => [new(Post(e.PostId), "post_unliked", new LikesPayload(e.PostId, e.LikesCount, e.Version, e.UserId, e.Changes))],

        CommentAdded e => OfComment("comment_added", e.Comment, e.CommentsCount, e.Version, e.Needs),
        CommentUpdated e => OfComment("comment_updated", e.Comment, e.CommentsCount, e.Version, e.Needs),
        CommentDeleted e =>
            [new(Post(e.PostId), "comment_deleted", new CommentDeletedPayload(e.CommentId, e.PostId, e.CommentsCount, e.Version))],

        NotificationAdded e => [new(Notifications(e.UserId), "notification", new NotificationPayload(e.Notification, e.UnreadCount, e.Version))],
        NotificationRead e =>
            [new(Notifications(e.UserId), "notification_read", new NotificationReadPayload(e.NotificationId, e.UnreadCount, e.Version))],
        NotificationsCleared e => [new(Notifications(e.UserId), "notifications_cleared", new NotificationsClearedPayload(0, e.Version))],

        MessageCreated e => ToConversation(e.Message.ConversationId, e.Members, "message_created", new MessagePayload(e.Message, e.Message.ConversationId)),
        MessageRead e =>
            ToConversation(e.ConversationId, e.Members, "message_read", new MessageReadPayload(e.ConversationId, e.MessageId, e.Number, e.UserId)),

        PublicPostsCounted e => [new(PublicPosts, "feed_update", new FeedCountPayload("new_posts", e.Count))],

        UserFollowed e =>
        [
            new(Feed(e.FollowerId), "feed_update", new FeedSourcePayload("followed", e.CreatorId),
                Effect: new ChannelEffect(ChannelEffectKind.Attach, Creator(e.CreatorId))),
        ],
        UserUnfollowed e =>
        [
            new(Feed(e.FollowerId), "feed_update", new FeedSourcePayload("unfollowed", e.CreatorId),
                Effect: new ChannelEffect(ChannelEffectKind.Detach, Creator(e.CreatorId))),
        ],

        SubscriptionStarted e =>
        [
            new(Creator(e.Subscription.CreatorId), "new_subscription", new SubscriberCountPayload(e.Subscription.CreatorId, e.SubscribersCount)),
            new(User(e.Subscription.CreatorId), "new_subscription", new NewSubscriptionPayload(e.Subscription, e.SubscribersCount)),
            new(Feed(e.Subscription.UserId), "feed_update", new FeedAccessPayload("subscribed", e.Subscription.CreatorId, e.Opened)),
            new(BetweenNodes, LevelsHeldPayload.Type, new LevelsHeldPayload(e.Subscription.UserId, e.Subscription.CreatorId, e.Held)),
        ],
        SubscriptionEnded e =>
        [
            new(Feed(e.UserId), "feed_update", new FeedAccessPayload(e.Reason, e.CreatorId, e.Closed)),
            new(BetweenNodes, LevelsHeldPayload.Type, new LevelsHeldPayload(e.UserId, e.CreatorId, e.Held)),
        ],
        PurchaseChanged e =>
        [
            new(Feed(e.UserId), "feed_update", new FeedAccessPayload(e.Holds ? "purchased" : "purchase_refunded", null, [e.PostId])),
            new(BetweenNodes, PostHeldPayload.Type, new PostHeldPayload(e.UserId, e.PostId, e.Holds)),
        ],
        BlockChanged e => [new(BetweenNodes, ApartPayload.Type, new ApartPayload(e.UserId, e.OtherId, e.IsApart))],
        PostHistoryRewritten e =>
            [new(BetweenNodes, PostRewrittenPayload.Type, new PostRewrittenPayload(e.PostId, e.AuthorId, e.Level, e.Access) { CommentId = e.CommentId })],

        AccountConnected e => [new(User(e.UserId), "account:connected", new AccountPayload(e.Platform, e.AccountId, null))],
        AccountDisconnected e => [new(User(e.UserId), "account:disconnected", new AccountPayload(e.Platform, e.AccountId, e.Reason))],

        AnalyticsChanged e => [new(User(e.CreatorId), "analytics:updated", new AnalyticsPayload(e.Figures))],

        TipReceived e => [new(User(e.CreatorId), "tip_received", new TipPayload(e.Tip))],

        _ => throw new InvalidOperationException($"{happened.GetType().Name} has no row in EventChannels."),
    };

    /// <summary>The channel of a creator's posts.</summary>
    public static ChannelName Creator(string userId) => new("creator", userId);

    /// <summary>The channel of a user's feed.</summary>
    public static ChannelName Feed(string userId) => new("feed", userId);

    /// <summary>The channel of a user's own affairs.</summary>
    public static ChannelName User(string userId) => new("user", userId);

    /// <summary>The channel of a user's notifications.</summary>
    public static ChannelName Notifications(string userId) => new(NotificationsKind, userId);

    /// <summary>The channel of one conversation.</summary>
    public static ChannelName Conversation(string conversationId) => new("conversation", conversationId);

    /// <summary>The channel of one post.</summary>
    public static ChannelName Post(string postId) => new("post", postId);

    private static Delivery[] Created(PostCreated e)
    {
        var author = e.Post.Creator.Id;
        var open = new PostCreatedPayload(e.Post.Preview(), author);
        var full = e.Post.Right is null ? null : new PostCreatedPayload(e.Post, author);
        var toCreator = new Delivery(Creator(author), "post_created", open, full, e.Post.Right);
        return e.IsAnnounced ? [toCreator, new(PublicPosts, "post_created", open)] : [toCreator]; // what is announced to everybody is a preview for everybody
    }

    private static Delivery[] Updated(NormalisedPost post)
    {
        var open = new PostUpdatedPayload(post.Preview(), post.Metadata.Version);
        var full = post.Right is null ? null : new PostUpdatedPayload(post, post.Metadata.Version);
        return
        [
            new(Creator(post.Creator.Id), "post_updated", open, full, post.Right),
            new(Post(post.Id), "post_updated", open, full, post.Right),
        ];
    }

    /// <summary>The author hears all of it; others, once they may know of the post, where else it is to be seen.</summary>
    private static Delivery[] StatusOf(PublishingChanged e)
    {
        var byName = $"post:{e.PostId}:status";
        var whole = new PostStatusPayload(e.PostId, e.Status, e.Targets);
        Delivery[] toAuthor = [new(User(e.AuthorId), "post_status", whole), new(User(e.AuthorId), byName, whole)];
        if (!e.IsPublic) return toAuthor;

        var open = new PostStatusPayload(e.PostId, "published", [.. e.Targets.Where(static target => target.Status == "succeeded").Select(static target => target with { Error = null })]);
        return [.. toAuthor, new(Post(e.PostId), "post_status", open), new(Post(e.PostId), byName, open)];
    }

    private static Delivery[] Deleted(PostDeleted e, PostDeletedPayload payload) =>
    [
        new(Creator(e.AuthorId), "post_deleted", payload),
        new(Post(e.PostId), "post_deleted", payload, Effect: new ChannelEffect(ChannelEffectKind.Close)),
    ];

    private static Delivery[] ToConversation(string conversationId, IReadOnlyList<string> members, string type, EventPayload payload) =>
        [new(Conversation(conversationId), type, payload), .. members.Select(member => new Delivery(User(member), type, payload))];

    private static Delivery[] OfComment(string type, NormalisedComment comment, long commentsCount, long version, string? needs)
    {
        var whole = new CommentPayload(comment, comment.PostId, commentsCount, version);
        return needs is null
            ? [new(Post(comment.PostId), type, whole)]
            : [new(Post(comment.PostId), type, whole with { Comment = null }, whole, needs)];
    }
}
