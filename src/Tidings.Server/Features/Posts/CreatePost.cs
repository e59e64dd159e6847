using System.Text.Json;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Media;
using Tidings.Server.Features.Scheduling;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>Publishes a post, or keeps a draft: the post, the author's count, the key of the request and the events, or none of them.</summary>
internal static class CreatePost
{
    /// <summary>The author has one more published post.</summary>
    public const string CountPostOfAuthor = "UPDATE users SET posts_count = posts_count + 1, is_creator = 1 WHERE id = @AuthorId";

    /// <summary>A public post that is not announced by itself.</summary>
    public const string CountPublicPost = "UPDATE pending_public_posts SET posts = posts + 1 WHERE id = @Row";

    public sealed record Request
    {
        public string? Title { get; init; }
        public string? Content { get; init; }
        public string? Type { get; init; }
        public string? MediaUrl { get; init; }
        public string? MediaId { get; init; }
        public string? Thumbnail { get; init; }
        public bool? IsLocked { get; init; }
        public decimal? Price { get; init; }
        public string? Currency { get; init; }
        public string? Tier { get; init; }
        public string? MinSubscriptionTier { get; init; }
        public string? Category { get; init; }
        public string? Status { get; init; }
        public string? ScheduledAt { get; init; }
        public string? TimeZone { get; init; }
        public string? Overlap { get; init; }
        public int? GraceMinutes { get; init; }
        public IReadOnlyList<string>? AccountIds { get; init; }

        /// <summary>A time makes it a scheduled post.</summary>
        public bool IsScheduled => Status == PostStates.Scheduled || ScheduledAt is { Length: > 0 };
    }

    public static async Task<IResult> HandleAsync(
        HttpContext http, CurrentUser author, Store store, PostLimits limits, PublicPostsRate rate, PublicPostsFlush counted, TargetPlan plan,
        PublishingRun run, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var key = IdempotencyKeys.Read(http.Request, out var problem);
        if (problem is not null) return problem;

        var body = await RequestJson.ReadAsync(http.Request, PostsRequestJson.Strict.CreatePost, limits.BodyBytes, key is not null, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;

        var errors = Check(request, limits);
        var terms = LockTerms.Read(request.IsLocked, request.Price, request.Currency, request.Tier, request.MinSubscriptionTier, errors);
        var now = clock.GetUtcNow();
        var time = request.IsScheduled ? TargetPlan.ReadTime(request.ScheduledAt, request.TimeZone, request.Overlap, request.GraceMinutes, now, errors) : null;
        if (errors.Count > 0) return Problems.Invalid(errors);

        var keyed = new KeyedRequest(author.Id, key, body.Fingerprint, now);
        var post = New(request, author.Id, now) with { ScheduledAt = time?.Instant.ToUnixTimeMilliseconds() };
        var isAnnounced = post.Status == "published" && rate.TryAnnounce();
        var isCounted = post.Status == "published" && !isAnnounced;
        var countIn = new { Row = Random.Shared.Next(PublicPostsFlush.Rows) };

        IReadOnlyList<TargetRow> targets = [];
        var grace = request.GraceMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : plan.Grace;
        if (time is not null || request.AccountIds is { Count: > 0 })
        {
            var asked = post with { IsLocked = terms.LocksNew ? 1 : 0 };
            var (accounts, refusal) = await plan.CheckAsync(request.AccountIds, asked, request.MediaId, time?.Instant ?? now, cancellationToken);
            if (refusal is not null) return refusal;
            targets = TargetPlan.Of(post, accounts, time?.Instant ?? now, grace, now);
        }

        var done = await store.WriteAsync(
            async write =>
            {
                if (await write.QuerySingleOrDefaultAsync<Author>(Sql.Author, post) is not { } by) return default;
                var (locked, problem) = await terms.ApplyAsync(write, post with { Nickname = by.Nickname, FullName = by.FullName, Avatar = by.Avatar, IsCreator = 1 });
                if (problem is not null) return new Outcome(null, null, null, problem);
                var media = request.MediaId is { Length: > 0 } ? await MediaOfPosts.FindAsync(write, request.MediaId, author.Id, post.Id) : null;
                if (media is not null) locked = locked with { MediaType = media.Type, MediaUrl = MediaRow.UrlOf(media.Id) };
                else if (request.MediaId is { Length: > 0 }) return await FirstOrAsync(write, keyed, ("unknown_media", "There is no such file of yours, or a post has it."));
                var written = locked.Whole();

                byte[]? answer = null;
                if (key is not null)
                {
                    answer = Answer(written, targets, time);
                    if (await keyed.KeepAsync(write, StatusCodes.Status201Created, answer, Location(post.Id)) is { } first) return new Outcome(null, null, first, null);
                }

                write.Enqueue(Sql.InsertPost, locked);
                if (media is not null) MediaOfPosts.Give(write, media.Id, post.Id);
                if (post.Status != "published")
                {
                    await write.AppendAsync(new DraftSaved(written, now) { ReceivedAt = receivedAt });
                    if (time is not null) await ScheduleAsync(write, post.Id, targets, time, grace, now);
                    return new Outcome(written, answer, null, null);
                }

                write.Enqueue(CountPostOfAuthor, post); // late: all posts of an author wait for this row
                if (isCounted) write.Enqueue(CountPublicPost, countIn);
                await write.AppendAsync(new PostCreated(written, isAnnounced, now) { ReceivedAt = receivedAt });
                if (targets.Count > 0) await PublishElsewhereAsync(write, post.Id, targets, now);
                return new Outcome(written, answer, null, null);
            },
            cancellationToken);

        if (done.First is { } earlier) return keyed.Repeat(earlier);
        if (done.Problem is { } wrong)
            return wrong.Field is "unknown_tier" or "unknown_media" ? Problems.Problem(422, wrong.Field, wrong.Message) : Problems.Invalid(wrong.Field, wrong.Message);
        if (done.Post is null) return Problems.Problem(401, "unknown_user", "This account does not exist any more.");
        if (isCounted) counted.Wake();
        if (targets.Count > 0) run.Wake();
        return new JsonAnswer(StatusCodes.Status201Created, done.Answer ?? Answer(done.Post, targets, time), Location(post.Id));
    }

    private static Dictionary<string, string[]> Check(Request request, PostLimits limits)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        FieldRules.Text("title", request.Title, PostLimits.TitleChars, errors);
        FieldRules.Text("content", request.Content, limits.PostChars, errors);
        FieldRules.Text("category", request.Category, PostLimits.CategoryChars, errors);
        PostRules.MediaType("type", request.Type, errors);
        FieldRules.Url("mediaUrl", request.MediaUrl, errors);
        FieldRules.Url("thumbnail", request.Thumbnail, errors);
        if (request.Status is not (null or "published" or "draft" or "scheduled")) errors["status"] = ["This must be published, draft or scheduled."];
        if (request is { MediaId.Length: > 0, MediaUrl.Length: > 0 }) errors["mediaUrl"] = ["Name an uploaded file or an address, not both."];
        if (request is { IsScheduled: true, Status: "published" or "draft" }) errors["scheduledAt"] = ["A post with a time has the status scheduled, or none."];
        if (request is { Status: "draft", AccountIds.Count: > 0 }) errors["accountIds"] = ["A draft goes nowhere: name accounts when it is scheduled or published."];
        TargetPlan.CheckIds(request.AccountIds, errors);
        if (errors.Count == 0 && string.IsNullOrEmpty(request.MediaId)) PostRules.Whole(request.Content ?? "", MediaType(request), Address(request.MediaUrl), errors);
        return errors;
    }

    /// <summary>A file that was given to a post is not there for a repetition of the request that gave it: that gets the first answer.</summary>
    private static async ValueTask<Outcome> FirstOrAsync(IWriteUnit write, KeyedRequest keyed, (string Field, string Message) problem) =>
        await keyed.FindAsync(write) is { } first ? new Outcome(null, null, first, null) : new Outcome(null, null, null, problem);

    private static PostRow New(Request request, string authorId, DateTimeOffset now) => new()
    {
        Id = Guid.CreateVersion7(now).ToString("N"),
        AuthorId = authorId,
        CreatedAt = now.ToUnixTimeMilliseconds(),
        UpdatedAt = now.ToUnixTimeMilliseconds(),
        Version = 1,
        Title = request.Title ?? "",
        Content = request.Content ?? "",
        MediaType = MediaType(request),
        MediaUrl = Address(request.MediaUrl),
        Thumbnail = Address(request.Thumbnail),
        Category = request.Category ?? "",
        Status = request.IsScheduled ? PostStates.Scheduled : request.Status ?? "published",
        IsMine = 1,
    };

    private static string MediaType(Request request) => request.Type ?? (Address(request.MediaUrl) is null ? "text" : "image");

    private static string? Address(string? url) => string.IsNullOrEmpty(url) ? null : url;

    private static byte[] Answer(NormalisedPost post, IReadOnlyList<TargetRow> targets, ScheduleTime? time) => targets.Count == 0
        ? JsonSerializer.SerializeToUtf8Bytes(new PostChanged(true, post), PostsJson.Answers.PostChanged)
        : JsonSerializer.SerializeToUtf8Bytes(
            new ScheduleAnswer(true, post, [.. targets.Select(target => PostTargets.ViewOf(time is null && target.AccountId.Length == 0 ? target with { State = TargetStates.Succeeded } : target))], time is null ? null : ScheduleView.Of(time)),
            ScheduledPostJson.Answers.ScheduleAnswer);

    /// <summary>The post is not published now, but then.</summary>
    private static async ValueTask ScheduleAsync(
        IWriteUnit write, string postId, IReadOnlyList<TargetRow> targets, ScheduleTime time, TimeSpan grace, DateTimeOffset now)
    {
        await TargetPlan.KeepAsync(write, postId, time, grace);
        await TargetPlan.AddAsync(write, targets, now);
        await PostTargets.SettleAsync(write, (await PostTargets.LockAsync(write, postId))!, isSuccess: false, now);
    }

    /// <summary>The post is published here now, and elsewhere right after.</summary>
    private static async ValueTask PublishElsewhereAsync(IWriteUnit write, string postId, IReadOnlyList<TargetRow> targets, DateTimeOffset now)
    {
        await TargetPlan.AddAsync(write, targets, now);
        await PublishNow.FeedIsDoneAsync(write, postId, now);
        await PostTargets.SettleAsync(write, (await PostTargets.LockAsync(write, postId))!, isSuccess: true, now);
    }

    private static string Location(string postId) => $"/api/posts/{postId}";

    private readonly record struct Outcome(NormalisedPost? Post, byte[]? Answer, FirstAnswer? First, (string Field, string Message)? Problem);

    private sealed record Author(string Nickname, string? FullName, string? Avatar);

    private static class Sql
    {
        public const string Author = "SELECT nickname AS Nickname, full_name AS FullName, avatar AS Avatar FROM users WHERE id = @AuthorId";

        public const string InsertPost = """
            INSERT INTO posts (id, author_id, created_at, updated_at, version, likes_count, comments_count, deleted, is_locked, price, currency, tier, tier_level, status,
                               media_type, media_url, thumbnail, category, title, content)
            VALUES (@Id, @AuthorId, @CreatedAt, @UpdatedAt, @Version, 0, 0, 0, @IsLocked, @Price, @Currency, @Tier, @TierLevel, @Status,
                    @MediaType, @MediaUrl, @Thumbnail, @Category, @Title, @Content)
            """;
    }
}
