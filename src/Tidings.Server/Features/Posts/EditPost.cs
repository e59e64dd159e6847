using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>Changes what a post says or shows. A field that is absent or null stays as it is; an empty text takes away what was there.</summary>
internal static class EditPost
{
    public sealed record Request
    {
        public string? Title { get; init; }
        public string? Content { get; init; }
        public string? Type { get; init; }
        public string? MediaUrl { get; init; }
        public string? Thumbnail { get; init; }
        public string? Category { get; init; }
        public bool? IsLocked { get; init; }
        public decimal? Price { get; init; }
        public string? Tier { get; init; }
        public string? MinSubscriptionTier { get; init; }
        public string? Status { get; init; }
        public string? ScheduledAt { get; init; }
    }

    public static async Task<IResult> HandleAsync(
        string id, HttpRequest http, CurrentUser author, Store store, PostLimits limits, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var body = await RequestJson.ReadAsync(http, PostsRequestJson.Strict.EditPost, limits.BodyBytes, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;

        var errors = Check(request, limits);
        if (errors.Count > 0) return Problems.Invalid(errors);
        if (request is { IsLocked: true } or { Price: > 0 } or { Tier.Length: > 0 } or { MinSubscriptionTier.Length: > 0 })
            return Problems.Problem(422, "not_supported", "Locked posts are not supported yet: leave out isLocked, price, tier and minSubscriptionTier.");
        if (request.Status is not (null or "published") || request.ScheduledAt is { Length: > 0 })
            return Problems.Problem(422, "not_supported", "A published post stays published: delete it instead.");

        var now = clock.GetUtcNow();
        var (found, edited, wrong) = await store.WriteAsync<(PostRow?, NormalisedPost?, Dictionary<string, string[]>?)>(
            async write =>
            {
                var old = await write.QuerySingleOrDefaultAsync<PostRow>(Sql.Read, new { Id = id });
                if (old is null || old.AuthorId != author.Id) return (old, null, null);

                var changed = Apply(request, old);
                var whole = new Dictionary<string, string[]>(StringComparer.Ordinal);
                PostRules.Whole(changed.Content, changed.MediaType, changed.MediaUrl, whole);
                if (whole.Count > 0) return (old, null, whole);
                if (changed == old) return (old, old.Normalise(), null);

                changed = changed with { Version = old.Version + 1, UpdatedAt = now.ToUnixTimeMilliseconds() };
                await write.ExecuteAsync(Sql.Change, changed);
                var post = changed.Normalise();
                await write.AppendAsync(new PostUpdated(post, now) { ReceivedAt = receivedAt });
                return (old, post, null);
            },
            cancellationToken);

        if (found is null) return Problems.NotFound("post");
        if (wrong is not null) return Problems.Invalid(wrong);
        return edited is null
            ? Problems.Problem(403, "forbidden", "Only its author may change a post.")
            : TypedResults.Json(new PostChanged(true, edited), PostsJson.Answers.PostChanged);
    }

    private static Dictionary<string, string[]> Check(Request request, PostLimits limits)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        PostRules.Text("title", request.Title, PostLimits.TitleChars, errors);
        PostRules.Text("content", request.Content, limits.PostChars, errors);
        PostRules.Text("category", request.Category, PostLimits.CategoryChars, errors);
        PostRules.MediaType("type", request.Type, errors);
        PostRules.Url("mediaUrl", request.MediaUrl, errors);
        PostRules.Url("thumbnail", request.Thumbnail, errors);
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
            $"SELECT {PostRow.Columns} FROM posts p JOIN users u ON u.id = p.author_id WHERE p.id = @Id AND p.deleted = 0 AND p.status = 'published' /*FOR UPDATE OF p*/";

        public const string Change = """
            UPDATE posts
            SET title = @Title, content = @Content, category = @Category, media_type = @MediaType, media_url = @MediaUrl, thumbnail = @Thumbnail,
                updated_at = @UpdatedAt, version = @Version
            WHERE id = @Id
            """;
    }
}
