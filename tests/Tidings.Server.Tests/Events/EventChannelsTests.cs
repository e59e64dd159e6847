using System.Text;
using System.Text.Json;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Server.Events;
using Xunit;

namespace Tidings.Server.Tests.Events;

public sealed class EventChannelsTests
{
    private static readonly string PostText = """
        {"id":"p1","content":{"title":"","text":"Привет <b>\n"},"media":{"type":"text","url":null,"thumbnail":null},
        "access":{"isLocked":false,"price":null,"currency":"SOL","tier":null,"hasAccess":true},
        "creator":{"id":"42","nickname":"ann","fullName":"","avatar":null,"isCreator":true},
        "metadata":{"createdAt":"2026-01-02T03:04:05.006Z","updatedAt":"2026-01-02T03:04:05.006Z","category":"","likesCount":0,"commentsCount":0,
        "status":"published","scheduledAt":null,"version":3}}
        """.ReplaceLineEndings("");

    private static readonly DateTimeOffset At = new(2026, 1, 2, 4, 4, 5, 6, TimeSpan.FromHours(1));

    private static readonly NormalisedPost Post = new(
        "p1",
        new PostContent("", "Привет <b>\n"),
        new PostMedia("text", null, null),
        new PostLock(false, null, "SOL", null, true),
        new PostCreator("42", "ann", "", null, true),
        new PostMetadata(At, At, "", 0, 0, "published", null, 3));

    private const string CommentText =
        """{"id":"c1","postId":"p1","author":{"id":"8","nickname":"bob","fullName":"","avatar":null,"isCreator":false},"content":"so","parentId":"c0","createdAt":"2026-01-02T03:04:05.006Z","editedAt":null,"isDeleted":false,"repliesCount":0,"version":12}""";

    private static readonly NormalisedComment Comment =
        new("c1", "p1", new PostCreator("8", "bob", "", null, false), "so", "c0", At, null, false, 0, 12);

    private const string MessageText =
        """{"id":"m1","conversationId":"v1","author":{"id":"8","nickname":"bob","fullName":"","avatar":null,"isCreator":false},"content":"hi","number":4,"createdAt":"2026-01-02T03:04:05.006Z"}""";

    private static readonly NormalisedNotification Notification =
        new("n1", "SYSTEM", "t", "m", JsonDocument.Parse("""{"a":[1]}""").RootElement, false, At);

    public static TheoryData<string, string[]> Table => new()
    {
        { nameof(PostCreated), [$$"""creator:42 post_created {"post":{{PostText}},"userId":"42"}""", $$"""public:posts post_created {"post":{{PostText}},"userId":"42"}"""] },
        { "Counted", [$$"""creator:42 post_created {"post":{{PostText}},"userId":"42"}"""] },
        { nameof(PostUpdated), [$$"""creator:42 post_updated {"post":{{PostText}},"version":3}""", $$"""post:p1 post_updated {"post":{{PostText}},"version":3}"""] },
        { nameof(DraftSaved), ["""user:42 post:created {"postId":"p1","content":"Привет <b>\n","status":"published"}"""] },
        { nameof(AccountConnected), ["""user:42 account:connected {"platform":"mastodon","accountId":"a1"}"""] },
        { nameof(AccountDisconnected), ["""user:42 account:disconnected {"platform":"mastodon","accountId":"a1","reason":"gone"}"""] },
        { nameof(TargetNews), ["""user:42 post:failed {"postId":"p1","platform":"webhook","platforms":["tidings","webhook"],"error":"no"}"""] },
        {
            nameof(PublishingChanged),
            [
                """user:42 post_status {"postId":"p1","status":"publishing","targets":[{"id":"t1","platform":"tidings","status":"succeeded"},{"id":"t2","platform":"webhook","status":"failed","error":"no"}]}""",
                """user:42 post:p1:status {"postId":"p1","status":"publishing","targets":[{"id":"t1","platform":"tidings","status":"succeeded"},{"id":"t2","platform":"webhook","status":"failed","error":"no"}]}""",
                """post:p1 post_status {"postId":"p1","status":"published","targets":[{"id":"t1","platform":"tidings","status":"succeeded"}]}""",
                """post:p1 post:p1:status {"postId":"p1","status":"published","targets":[{"id":"t1","platform":"tidings","status":"succeeded"}]}""",
            ]
        },
        {
            "NotPublic",
            [
                """user:42 post_status {"postId":"p1","status":"scheduled","targets":[]}""",
                """user:42 post:p1:status {"postId":"p1","status":"scheduled","targets":[]}""",
            ]
        },
        { nameof(PostDeleted), ["""creator:42 post_deleted {"postId":"p1","version":4}""", """post:p1 post_deleted {"postId":"p1","version":4} Close"""] },
        { nameof(PostLiked), ["""post:p1 post_liked {"postId":"p1","likesCount":7,"version":9,"userId":"8","changes":3}"""] },
        { nameof(PostUnliked), ["""post:p1 post_unliked {"postId":"p1","likesCount":6,"version":10,"userId":"8","changes":1}"""] },
        { nameof(CommentAdded), [$$"""post:p1 comment_added {"comment":{{CommentText}},"postId":"p1","commentsCount":5,"version":12}"""] },
        { nameof(CommentUpdated), [$$"""post:p1 comment_updated {"comment":{{CommentText}},"postId":"p1","commentsCount":5,"version":12}"""] },
        { nameof(CommentDeleted), ["""post:p1 comment_deleted {"commentId":"c1","postId":"p1","commentsCount":4,"version":13}"""] },
        {
            nameof(NotificationAdded),
            ["""notifications:8 notification {"notification":{"id":"n1","type":"SYSTEM","title":"t","message":"m","data":{"a":[1]},"isRead":false,"createdAt":"2026-01-02T03:04:05.006Z"},"unreadCount":3,"version":9}"""]
        },
        { nameof(NotificationRead), ["""notifications:8 notification_read {"notificationId":"all","unreadCount":2,"version":10}"""] },
        { nameof(NotificationsCleared), ["""notifications:8 notifications_cleared {"unreadCount":0,"version":11}"""] },
        {
            nameof(MessageCreated),
            [.. ((string[])["conversation:v1", "user:8", "user:42"]).Select(channel => $$$"""{{{channel}}} message_created {"message":{{{MessageText}}},"conversationId":"v1"}""")]
        },
        {
            nameof(MessageRead),
            [.. ((string[])["conversation:v1", "user:8", "user:42"]).Select(channel => $$"""{{channel}} message_read {"conversationId":"v1","messageId":"m1","number":4,"userId":"42"}""")]
        },
        { nameof(PublicPostsCounted), ["""public:posts feed_update {"reason":"new_posts","count":120}"""] },
        { nameof(UserFollowed), ["""feed:8 feed_update {"reason":"followed","creatorId":"42"} Attach creator:42"""] },
        { nameof(UserUnfollowed), ["""feed:8 feed_update {"reason":"unfollowed","creatorId":"42"} Detach creator:42"""] },
        {
            nameof(SubscriptionStarted),
            [
                """creator:42 new_subscription {"creatorId":"42","subscribersCount":5}""",
                """user:42 new_subscription {"subscription":{"id":"s1","userId":"8","creatorId":"42","level":2,"tier":"Gold","status":"active","expiresAt":"2026-01-02T03:04:05.006Z","createdAt":"2026-01-02T03:04:05.006Z"},"subscribersCount":5}""",
                """feed:8 feed_update {"reason":"subscribed","creatorId":"42","postIds":["p1"]}""",
                """tidings:access levels_held {"userId":"8","creatorId":"42","held":[{"level":2,"until":"2026-01-02T03:04:05.006Z"}]}""",
            ]
        },
        {
            nameof(SubscriptionEnded),
            [
                """feed:8 feed_update {"reason":"subscription_expired","creatorId":"42","postIds":["p1"]}""",
                """tidings:access levels_held {"userId":"8","creatorId":"42","held":[]}""",
            ]
        },
        {
            nameof(PurchaseChanged),
            [
                """feed:8 feed_update {"reason":"purchased","creatorId":null,"postIds":["p1"]}""",
                """tidings:access post_held {"userId":"8","postId":"p1","holds":true}""",
            ]
        },
        {
            nameof(TipReceived),
            ["""user:42 tip_received {"tip":{"id":"t1","amount":2.5,"currency":"SOL","from":{"id":"8","nickname":"bob","fullName":"","avatar":null,"isCreator":false},"postId":"p1"}}"""]
        },
        { nameof(AnalyticsChanged), ["""user:42 analytics:updated {"metrics":{"posts":3,"likes":2,"comments":1,"followers":5}}"""] },
        { nameof(BlockChanged), ["""tidings:access apart {"userId":"8","otherId":"42","isApart":true}"""] },
        {
            nameof(PostHistoryRewritten),
            ["""tidings:access post_rewritten {"postId":"p1","authorId":"42","level":2,"access":{"isLocked":false,"price":null,"currency":"SOL","tier":null,"hasAccess":true}}"""]
        },
    };

    private static DomainEvent Happened(string name) => name switch
    {
        nameof(PostCreated) => new PostCreated(Post, IsAnnounced: true, At),
        "Counted" => new PostCreated(Post, IsAnnounced: false, At),
        nameof(PostUpdated) => new PostUpdated(Post, At),
        nameof(DraftSaved) => new DraftSaved(Post, At),
        nameof(AccountConnected) => new AccountConnected("42", "mastodon", "a1", At),
        nameof(AccountDisconnected) => new AccountDisconnected("42", "mastodon", "a1", "gone", At),
        nameof(TargetNews) => new TargetNews("post:failed", "p1", "42", "webhook", ["tidings", "webhook"], "no", At),
        nameof(PublishingChanged) => new PublishingChanged(
            "p1", "42", "publishing", [new("t1", "tidings", "succeeded", null, null), new("t2", "webhook", "failed", null, "no")], IsPublic: true, At),
        "NotPublic" => new PublishingChanged("p1", "42", "scheduled", [], IsPublic: false, At),
        nameof(PostDeleted) => new PostDeleted("p1", "42", 4, At),
        nameof(PostLiked) => new PostLiked("p1", 7, 9, "8", 3, At),
        nameof(PostUnliked) => new PostUnliked("p1", 6, 10, "8", 1, At),
        nameof(CommentAdded) => new CommentAdded(Comment, 5, 12, null, At),
        nameof(CommentUpdated) => new CommentUpdated(Comment, 5, 12, null, At),
        nameof(CommentDeleted) => new CommentDeleted("c1", "p1", 4, 13, At),
        nameof(NotificationAdded) => new NotificationAdded("8", Notification, 3, 9, At),
        nameof(NotificationRead) => new NotificationRead("8", "all", 2, 10, At),
        nameof(NotificationsCleared) => new NotificationsCleared("8", 11, At),
        nameof(MessageCreated) => new MessageCreated(new("m1", "v1", new PostCreator("8", "bob", "", null, false), "hi", 4, At), ["8", "42"], At),
        nameof(MessageRead) => new MessageRead("v1", "m1", 4, "42", ["8", "42"], At),
        nameof(PublicPostsCounted) => new PublicPostsCounted(120, At),
        nameof(UserFollowed) => new UserFollowed("8", "42", At),
        nameof(UserUnfollowed) => new UserUnfollowed("8", "42", At),
        nameof(SubscriptionStarted) => new SubscriptionStarted(new SubscriptionView("s1", "8", "42", 2, "Gold", "active", At, At), 5, ["p1"], At) { Held = [new HeldLevel(2, At)] },
        nameof(SubscriptionEnded) => new SubscriptionEnded("8", "42", "subscription_expired", [], ["p1"], At),
        nameof(PurchaseChanged) => new PurchaseChanged("8", "p1", Holds: true, At),
        nameof(AnalyticsChanged) => new AnalyticsChanged("42", new CreatorFigures(3, 2, 1, 5), At),
        nameof(TipReceived) => new TipReceived("42", new TipView("t1", 2.5m, "SOL", new PostCreator("8", "bob", "", null, false), "p1"), At),
        nameof(BlockChanged) => new BlockChanged("8", "42", IsApart: true, At),
        nameof(PostHistoryRewritten) => new PostHistoryRewritten("p1", "42", 2, Post.Access, At),
        _ => throw new ArgumentException(name),
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Each_event_reaches_exactly_these_channels_with_exactly_this_payload(string name, string[] expected) =>
        EventChannels.For(Happened(name)).Select(Describe).ShouldBe(expected);

    [Fact]
    public void Every_event_of_the_product_has_a_row_here_and_in_this_test()
    {
        var events = typeof(DomainEvent).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(DomainEvent))).Select(type => type.Name);
        Table.Select(row => row.Data.Item1).Where(name => name is not ("Counted" or "NotPublic")).ShouldBe(events, ignoreOrder: true);
    }

    [Fact]
    public void What_is_said_of_a_locked_post_is_for_those_with_the_right_and_others_hear_the_count()
    {
        var delivery = EventChannels.For(new CommentAdded(Comment, 5, 12, "the right", At)).Single();

        Describe(delivery).ShouldBe("""post:p1 comment_added {"comment":null,"postId":"p1","commentsCount":5,"version":12}""");
        delivery.Needs.ShouldBe("the right");
        Encoding.UTF8.GetString(EventJson.Write(delivery.Full!)).ShouldContain(CommentText);
    }

    [Fact]
    public void An_event_without_a_row_throws() =>
        Should.Throw<InvalidOperationException>(() => EventChannels.For(new Unheard(At))).Message.ShouldContain(nameof(Unheard));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_locked_post_has_two_forms_for_its_own_channels_and_a_preview_for_everybody(bool isNew)
    {
        var locked = Post with
        {
            Media = new PostMedia("image", "https://example.com/secret.png", "https://example.com/small.png"),
            Access = new PostLock(true, 2.5m, "SOL", "Gold", true),
            Right = "post:p1:2:42",
        };
        const string preview = """
            {"id":"p1","content":{"title":"","text":null},"media":{"type":"image","url":null,"thumbnail":"https://example.com/small.png"},"access":{"isLocked":true,"price":2.5,"currency":"SOL","tier":"Gold","hasAccess":false}
            """;

        var deliveries = EventChannels.For(isNew ? new PostCreated(locked, IsAnnounced: true, At) : new PostUpdated(locked, At));

        foreach (var one in deliveries)
        {
            Encoding.UTF8.GetString(EventJson.Write(one.Payload)).ShouldContain(preview.Trim());
            one.Needs.ShouldBe(one.Channel.Kind == "public" ? null : "post:p1:2:42");
            if (one.Needs is null) one.Full.ShouldBeNull();
            else Encoding.UTF8.GetString(EventJson.Write(one.Full!)).ShouldContain("secret.png");
        }
    }

    [Fact]
    public async Task Appending_gives_every_delivery_an_id_of_its_own_and_the_time_of_the_event()
    {
        var write = new CollectingUnit();
        await write.AppendAsync(new PostCreated(Post, IsAnnounced: true, At) { ReceivedAt = 77 });

        write.Drafts.Count.ShouldBe(2);
        write.Drafts.Select(draft => draft.Id).Distinct().Count().ShouldBe(2);
        write.Drafts.ShouldAllBe(draft => draft.Id.Length == 32 && draft.Timestamp == At && draft.ReceivedAt == 77 && draft.FullPayload == null);
    }

    [Fact]
    public void A_delivery_with_two_forms_becomes_a_draft_with_both_and_the_right()
    {
        var preview = new PostDeletedPayload("preview", 1);
        var full = new PostDeletedPayload("full", 1);
        var delivery = new Delivery(new ChannelName("creator", "42"), "post_created", preview, full, Needs: "author:42");

        var draft = EventAppending.DraftOf(delivery, new PublicPostsCounted(1, At), EventJson.Write(preview));

        Encoding.UTF8.GetString(draft.Payload.Span).ShouldBe("""{"postId":"preview","version":1}""");
        Encoding.UTF8.GetString(draft.FullPayload!.Value.Span).ShouldBe("""{"postId":"full","version":1}""");
        draft.FullNeeds.ShouldBe("author:42");
        Should.Throw<InvalidOperationException>(() => EventAppending.DraftOf(delivery with { Needs = null }, new PublicPostsCounted(1, At), []));
        Should.Throw<InvalidOperationException>(() => EventAppending.DraftOf(delivery with { Full = null }, new PublicPostsCounted(1, At), []));
    }

    private static string Describe(Delivery delivery)
    {
        var text = $"{delivery.Channel} {delivery.Type} {Encoding.UTF8.GetString(EventJson.Write(delivery.Payload))}";
        return delivery.Effect is { } effect ? $"{text} {effect.Kind} {effect.Target}".TrimEnd() : text;
    }

    private sealed record Unheard(DateTimeOffset At) : DomainEvent(At);

    private sealed class CollectingUnit : Tidings.Server.Storage.IWriteUnit
    {
        public List<PublicationDraft> Drafts { get; } = [];

        public void Enqueue(string sql, object? parameters = null) => throw new NotSupportedException();

        public ValueTask<int> ExecuteAsync(string sql, object? parameters = null) => throw new NotSupportedException();

        public ValueTask<T?> QuerySingleOrDefaultAsync<T>(string sql, object? parameters = null) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters = null) => throw new NotSupportedException();

        public void Append(PublicationDraft draft) => Drafts.Add(draft);
    }
}
