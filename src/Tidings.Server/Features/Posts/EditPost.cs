using Tidings.Server.Auth;
using Tidings.Server.ChannelAccess;
using Tidings.Server.Events;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Media;
using Tidings.Server.Features.Scheduling;
using Tidings.Server.Host;
using Tidings.Server.Publishing;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>Changes what a post says or shows, or what it takes to see it. A field that is absent or null stays as it is; an empty text takes away what was there.</summary>
internal static class EditPost
{
    public sealed record Request
    {
        public string? Title { get; init; }
        public string? Content { get; init; }
        public string? Type { get; init; }
        public string? MediaUrl { get; init; }
        public string? MediaId { get; init; }
        public string? Thumbnail { get; init; }
        public string? Category { get; init; }
        public bool? IsLocked { get; init; }
        public decimal? Price { get; init; }
        public string? Currency { get; init; }
        public string? Tier { get; init; }
        public string? MinSubscriptionTier { get; init; }
        public string? Status { get; init; }
        public string? ScheduledAt { get; init; }
    }

    public static async Task<IResult> HandleAsync(
        string id, HttpRequest http, CurrentUser author, Store store, MediaFiles files, LiveRights rights, PostLimits limits, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var body = await RequestJson.ReadAsync(http, PostsRequestJson.Strict.EditPost, limits.BodyBytes, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;

        var errors = Check(request, limits);
        var terms = LockTerms.Read(request.IsLocked, request.Price, request.Currency, request.Tier, request.MinSubscriptionTier, errors);
        if (errors.Count > 0) return Problems.Invalid(errors);
        if (request.Status is not null || request.ScheduledAt is { Length: > 0 })
            return Problems.Problem(422, "not_supported", "An edit does not publish a post or take it back: use POST …/publish, or delete it.");

        var now = clock.GetUtcNow();
        PostHistoryRewritten? rewritten = null;
        var (found, edited, wrong, left) = await store.WriteAsync<(PostRow?, NormalisedPost?, IResult?, IReadOnlyList<string>)>(
            async write =>
            {
                var old = await write.QuerySingleOrDefaultAsync<PostRow>(Sql.Read, new { Id = id, Me = author.Id, NowMs = now.ToUnixTimeMilliseconds() });
                if (old is null || old.AuthorId != author.Id) return (old, null, null, []);

                if (old.Status == PostStates.Publishing)
                    return (old, null, Problems.Problem(409, "publishing", "This post is on its way: change it when it is published, or cancel what waits."), []);

                var (changed, problem) = await terms.ApplyAsync(write, Apply(request, old));
                if (problem is { } term)
                    return (old, null, term.Field == "unknown_tier" ? Problems.Problem(422, term.Field, term.Message) : Problems.Invalid(term.Field, term.Message), []);
                if (request.MediaId is { Length: > 0 } mediaId)
                {
                    if (await MediaOfPosts.FindAsync(write, mediaId, author.Id, id) is not { } media)
                        return (old, null, Problems.Problem(422, "unknown_media", "There is no such file of yours, or a post has it."), []);
                    changed = changed with { MediaType = media.Type, MediaUrl = MediaRow.UrlOf(mediaId) };
                }

                var whole = new Dictionary<string, string[]>(StringComparer.Ordinal);
                PostRules.Whole(changed.Content, changed.MediaType, changed.MediaUrl, whole);
                if (whole.Count > 0) return (old, null, Problems.Invalid(whole), []);
                if (changed == old) return (old, old.Whole(), null, []);

                changed = changed with { Version = old.Version + 1, UpdatedAt = now.ToUnixTimeMilliseconds() };
                await write.ExecuteAsync(Sql.Change, changed);
                if (request.MediaId is { Length: > 0 }) MediaOfPosts.Give(write, request.MediaId, id);
                var removed = changed.MediaUrl == old.MediaUrl ? [] : await MediaOfPosts.TakeAsync(write, id, request.MediaId);
                var post = changed.Whole();
                var isLockedAnew = changed.IsLocked != 0 && (old.IsLocked == 0 || old.TierLevel != changed.TierLevel);
                rewritten = isLockedAnew ? new PostHistoryRewritten(id, author.Id, changed.TierLevel, post.Access, now) : null;
                if (rewritten is not null) await PostHistory.RewriteAsync(write, store.IsPostgres, rewritten);
                if (old.Status != "published") await TargetChanges.BumpRevisionAsync(write, id, now);
                if (old.Status == "published") await write.AppendAsync(new PostUpdated(post, now) { ReceivedAt = receivedAt });
                return (old, post, null, removed);
            },
            cancellationToken);

        foreach (var file in left) files.Delete(file);
        if (rewritten is not null) rights.RewriteHere(new PostRewrittenPayload(id, author.Id, rewritten.Level, rewritten.Access));
        if (found is null || found.View() == PostView.Hidden) return Problems.NotFound("post");
        if (wrong is not null) return wrong;
        return edited is null
            ? Problems.Problem(403, "forbidden", "Only its author may change a post.")
            : TypedResults.Json(new PostChanged(true, edited), PostsJson.Answers.PostChanged);
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
        if (request is { MediaId.Length: > 0, MediaUrl.Length: > 0 }) errors["mediaUrl"] = ["Name an uploaded file or an address, not both."];
        return errors;
    }

    private static PostRow Apply(Request request, PostRow old) => old with
    {
        Title = request.Title ?? old.Title,
        Content = request.Content ?? old.Content,
        Category = request.Category ?? old.Category,
        MediaType = request.Type ?? old.MediaType,
        MediaUrl = Address(request.MediaUrl, old.MediaUrl),
        Thumbnail = Address(request.Thumbnail, old.Thumbnail),
    };

    private static string? Address(string? asked, string? old) => asked switch { null => old, "" => null, _ => asked };

    private static class Sql
    {
        public const string Read =
            $"SELECT {PostRow.Columns} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = @Id AND p.deleted = 0 /*FOR UPDATE OF p*/";

        public const string Change = """
            UPDATE posts
            SET title = @Title, content = @Content, category = @Category, media_type = @MediaType, media_url = @MediaUrl, thumbnail = @Thumbnail,
                is_locked = @IsLocked, price = @Price, currency = @Currency, tier = @Tier, tier_level = @TierLevel,
                updated_at = @UpdatedAt, version = @Version
            WHERE id = @Id
            """;
    }
}
